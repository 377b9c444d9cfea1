//! Products with weights that are dropped, for each sample others.

use thinnet_kernels::{Isa, Kernels, PanelBuf, WeightBits, draw_bits, masked_axpy, masked_gradient};

use crate::{Random, assert_close, assert_padding, wide};

/// Samples, inputs, outputs: in whole words, lines and panels, and not.
const SIZES: [(usize, usize, usize); 13] = [
    (1, 1, 1),
    (2, 3, 31),
    (3, 8, 32),
    (4, 9, 33),
    (5, 16, 63),
    (6, 31, 64),
    (7, 33, 65),
    (13, 64, 96),
    (8, 65, 128),
    (101, 130, 200),
    (0, 5, 20),
    (5, 0, 20),
    (5, 6, 0),
];

struct Case<T: Kernels> {
    x: PanelBuf<T>,
    w: PanelBuf<T>,
    delta: PanelBuf<T>,
    x64: Vec<f64>,
    w64: Vec<f64>,
    delta64: Vec<f64>,
    /// `[samples][inputs][outputs]`.
    kept: Vec<bool>,
    masks: WeightBits,
    random: Random,
}

impl<T: Kernels> Case<T> {
    fn new((samples, inputs, outputs): (usize, usize, usize)) -> Self {
        let mut random = Random(samples as u64 * 1_000_000 + inputs as u64 * 1000 + outputs as u64);
        let (x, w) = (random.values::<T>(samples * inputs), random.values::<T>(inputs * outputs));
        let delta = random.values::<T>(samples * outputs);
        let kept: Vec<bool> = (0..samples * inputs * outputs).map(|_| random.value() < 0.2).collect();
        let mut masks = WeightBits::default();
        masks.reset(50, 99, 130); // something else before
        masks.reset(samples, inputs, outputs);
        let cut = inputs / 16 * 8;
        for (mut part, first) in masks.parts(&[0..cut, cut..inputs]).into_iter().zip([0, cut]) {
            let words = outputs.div_ceil(64);
            for sample in 0..samples {
                // Bits of no output are set too: they must not matter.
                let mut rows = vec![0xaaaa_aaaa_aaaa_aaaa_u64; part.inputs() * words];
                for (at, row) in rows.chunks_exact_mut(words.max(1)).enumerate() {
                    for output in 0..outputs {
                        let bit = 1 << (output % 64);
                        let kept = kept[(sample * inputs + first + at) * outputs + output];
                        row[output / 64] = row[output / 64] & !bit | if kept { bit } else { 0 };
                    }
                }
                let half = part.inputs() / 16 * 8;
                let (lower, upper) = rows.split_at(half * words);
                part.set(sample, half, upper);
                part.set(sample, 0, lower);
            }
        }
        Self {
            x64: wide(&x),
            w64: wide(&w),
            delta64: wide(&delta),
            x: PanelBuf::from_rows(samples, inputs, &x),
            w: PanelBuf::from_rows(inputs, outputs, &w),
            delta: PanelBuf::from_rows(samples, outputs, &delta),
            kept,
            masks,
            random,
        }
    }

    /// For each sample, input and output whether the weight is kept, and their numbers.
    fn each(&self, mut take: impl FnMut(usize, usize, usize)) {
        let (inputs, outputs) = self.masks.dim();
        for (at, &kept) in self.kept.iter().enumerate() {
            let (sample, input, output) = (at / outputs / inputs, at / outputs % inputs, at % outputs);
            assert_eq!(self.masks.get(sample, (input, output)), kept);
            if kept {
                take(sample, input, output);
            }
        }
    }
}

fn each(
    test32: impl Fn(Isa, (usize, usize, usize), &str),
    test64: impl Fn(Isa, (usize, usize, usize), &str),
) {
    for isa in Isa::available() {
        for size in SIZES {
            test32(isa, size, &format!("{isa} f32 {size:?}"));
            test64(isa, size, &format!("{isa} f64 {size:?}"));
        }
    }
}

/// The instruction sets that give the same bits as this one.
fn fused_like(isa: Isa) -> impl Iterator<Item = Isa> {
    Isa::fused().filter(move |_| Isa::fused().any(|fused| fused == isa))
}

#[test]
fn masked_axpy_is_the_sum_over_what_is_kept_however_samples_are_split() {
    fn case<T: Kernels>(isa: Isa, size: (usize, usize, usize), what: &str) {
        let (samples, inputs, outputs) = size;
        let mut case = Case::<T>::new(size);
        let bias = case.random.values::<T>(outputs);
        let scale = 1.25;
        let mut expected: Vec<f64> = (0..samples).flat_map(|_| wide(&bias)).collect();
        case.each(|n, i, o| {
            expected[n * outputs + o] += scale * case.x64[n * inputs + i] * case.w64[i * outputs + o];
        });
        let bias = PanelBuf::from_rows(1, outputs, &bias);
        let run = |isa: Isa, cut: usize| {
            let mut z = PanelBuf::from_rows(samples, outputs, &vec![T::ONE; samples * outputs]);
            let mut rest = z.view_mut();
            for part in [0..cut, cut..samples] {
                let (x, z) = (case.x.view().slice(part.clone()), rest.take_first(part.len()));
                let (w, scale) = (case.w.view(), T::from_f64(scale));
                masked_axpy(isa, x, &case.masks, part.start, w, scale, bias.view(), z);
            }
            z
        };
        let whole = run(isa, 0);
        assert_close(&whole.view().to_rows(), &expected, what);
        assert_padding(&whole, what);
        for cut in [samples / 3, samples / 2, samples] {
            assert_eq!(run(isa, cut).as_slice(), whole.as_slice(), "{what} cut at {cut}");
        }
        for other in fused_like(isa) {
            assert_eq!(run(other, 0).as_slice(), whole.as_slice(), "{what} and {other}");
        }
    }
    each(case::<f32>, case::<f64>);
}

/// The gradient, added to what is there, and the derivatives by the input, with rows split at any eight.
#[test]
fn masked_gradient_is_both_sums_over_what_is_kept_however_rows_are_split() {
    fn case<T: Kernels>(isa: Isa, size: (usize, usize, usize), what: &str) {
        let (samples, inputs, outputs) = size;
        let mut case = Case::<T>::new(size);
        let before = case.random.values::<T>(inputs * outputs);
        let (mut gradient, mut d_x) = (wide(&before), vec![0.0; inputs * samples]);
        case.each(|n, i, o| {
            gradient[i * outputs + o] += case.x64[n * inputs + i] * case.delta64[n * outputs + o];
            d_x[i * samples + n] += case.w64[i * outputs + o] * case.delta64[n * outputs + o];
        });
        let run = |isa: Isa, cut: usize, with_d_x: bool| {
            let mut g = PanelBuf::from_rows(inputs, outputs, &before);
            let mut got = vec![T::ZERO; inputs * samples];
            let mut rest = g.view_mut();
            for part in [0..cut, cut..inputs] {
                let mut d_x = vec![T::ONE; part.len().next_multiple_of(4) * samples];
                let to = with_d_x.then_some(d_x.as_mut_slice());
                let (x, delta, w) = (case.x.view(), case.delta.view(), case.w.view().slice(part.clone()));
                masked_gradient(isa, x, &case.masks, part.start, delta, w, rest.take_first(part.len()), to);
                for (r, i) in part.enumerate() {
                    for n in 0..samples {
                        got[i * samples + n] = d_x[(r / 4 * samples + n) * 4 + r % 4];
                    }
                }
            }
            assert_padding(&g, what);
            (g.view().to_rows(), got)
        };
        let whole = run(isa, 0, true);
        assert_close(&whole.0, &gradient, what);
        assert_close(&whole.1, &d_x, what);
        for cut in [8, 16, 24, 64].into_iter().filter(|&cut| cut <= inputs) {
            assert_eq!(run(isa, cut, true), whole, "{what} cut at {cut}");
            assert_eq!(run(isa, cut, false).0, whole.0, "{what} cut at {cut}, the gradient alone");
        }
        for other in fused_like(isa) {
            assert_eq!(run(other, 0, true), whole, "{what} and {other}");
        }
    }
    each(case::<f32>, case::<f64>);
}

/// Any group is the same among others and alone, on every instruction set, and all is kept where all is below the threshold.
#[test]
fn bits_are_drawn_by_group() {
    let key = [1, 2, 3, 4, 5, 6, 7, u32::MAX];
    for threshold in [0, 1, 1 << 31, 3 << 30, 3_435_973_837, (1 << 32) - 1, 1 << 32] {
        let draw = |isa, first, count| {
            let mut words = vec![5; count];
            draw_bits(isa, &key, 1 << 40 | 3, first, threshold, &mut words);
            words
        };
        let all = draw(Isa::PORTABLE, u64::MAX / 64 - 1, 1000);
        for isa in Isa::available() {
            assert_eq!(draw(isa, u64::MAX / 64 - 1, 1000), all);
            assert_eq!(draw(isa, u64::MAX / 64, 60), all[128..188]);
            assert_eq!(draw(isa, u64::MAX / 64 + 5, 130), all[768..898]);
        }
        let share = all.iter().map(|word| f64::from(word.count_ones())).sum::<f64>() / 64_000.0;
        assert!((share - threshold as f64 / 2f64.powi(32)).abs() < 0.01, "{threshold}: {share}");
        assert!(threshold < 1 << 32 || all.iter().all(|&word| word == u64::MAX));
        assert!(threshold > 0 || all.iter().all(|&word| word == 0));
    }
}
