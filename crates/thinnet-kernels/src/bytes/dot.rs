//! Products of rounded weight rows with samples.

use std::ops::Range;

use super::isa::{ByteIsa, Level};
use super::rows::{ByteRows, Line, PANEL};
#[cfg(target_arch = "x86_64")]
use super::vnni;
use super::weights::ByteWeights;
use crate::simd::Element;

/// `out[r * N + n] = dot(rounded w[r], x[samples.start + n])` for all rows and the `N` samples in the range; `w` is
/// `[R][cols]`, `x` is `[..][cols]`, `out` is `[R][N]`.
///
/// # Panics
/// If the shapes do not match this.
pub fn byte_dot<T: Element>(
    isa: ByteIsa,
    w: &ByteWeights,
    x: &ByteRows,
    samples: Range<usize>,
    out: &mut [T],
) {
    assert_eq!(w.cols, x.cols, "columns of weights and samples");
    assert!(samples.start <= samples.end && samples.end <= x.rows, "samples {samples:?} of {}", x.rows);
    assert_eq!(out.len(), w.rows * samples.len(), "outputs, rows by samples");
    match isa.0 {
        Level::Portable => portable(w, x, samples, out),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the token is proof of the features; the shapes were checked above.
        Level::Vnni(_) => unsafe { vnni::run(w, x, samples, out) },
    }
}

fn portable<T: Element>(w: &ByteWeights, x: &ByteRows, samples: Range<usize>, out: &mut [T]) {
    let panels = w.cols.div_ceil(PANEL);
    for r in 0..w.rows {
        for (n, sample) in samples.clone().enumerate() {
            let sum = |plane: &[Line<i8>]| {
                let mut sum = 0;
                for p in 0..panels {
                    let (w, x) = (&plane[p * w.rows + r].0, &x.data[p * x.rows + sample].0);
                    sum += w.iter().zip(x).map(|(&w, &x)| i32::from(w) * i32::from(x)).sum::<i32>();
                }
                sum
            };
            out[r * samples.len() + n] = w.value(r, sum(&w.high), sum(&w.low));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::weights::MOST_COLUMNS;
    use super::*;
    use crate::PanelBuf;

    fn bytes(count: usize, seed: u32) -> Vec<u8> {
        let mut state = seed;
        (0..count)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect()
    }

    fn check<T: Element>(isa: ByteIsa, rows: usize, cols: usize, samples: usize) {
        let weights: Vec<T> = bytes(rows * cols, 1)
            .iter()
            .zip(bytes(rows * cols, 2))
            .map(|(&a, b)| T::from_f64((f64::from(a) - 127.5) / 1000.0 + f64::from(b) / 1e5))
            .collect();
        let pixels = bytes(samples * cols, 3);
        let packed = PanelBuf::from_rows(rows, cols, &weights);
        let mean: Vec<f64> = pixels[..cols].iter().map(|&p| f64::from(p) / 3.0).collect();
        let w = ByteWeights::new(isa, packed.view(), &mean).unwrap();
        let rounded = w.rounded();
        for ((rounded, w), scale) in
            rounded.iter().zip(&weights).zip(w.scales.iter().flat_map(|s| vec![*s; cols]))
        {
            assert!((rounded - w.to_f64()).abs() <= 0.500_001 * scale);
        }
        let x = ByteRows::new(samples, cols, &pixels);
        let range = samples / 3..samples;
        let mut out = vec![T::ZERO; rows * range.len()];
        byte_dot(isa, &w, &x, range.clone(), &mut out);
        for r in 0..rows {
            for (n, sample) in range.clone().enumerate() {
                let truth: f64 =
                    (0..cols).map(|c| rounded[r * cols + c] * f64::from(pixels[sample * cols + c])).sum();
                let error = (out[r * range.len() + n].to_f64() - truth).abs();
                assert!(error <= 1e-6 * truth.abs().max(1.0), "{rows} {cols} {samples}: {truth}");
            }
        }
        for (r, dot) in w.of_mean().iter().enumerate() {
            let truth: f64 = (0..cols).map(|c| rounded[r * cols + c] * mean[c]).sum();
            assert!((dot - truth).abs() <= 1e-9 * truth.abs().max(1.0));
        }
    }

    #[test]
    fn products_are_those_of_the_rounded_weights() {
        let isas = [Some(ByteIsa::PORTABLE), ByteIsa::fast()];
        if isas[1].is_none() {
            println!("skipped: this CPU has no AVX-512 VNNI");
        }
        for isa in isas.into_iter().flatten() {
            for (rows, cols, samples) in
                [(1, 1, 1), (3, 64, 4), (7, 65, 9), (10, 200, 101), (4, 3072, 3), (2, 63, 250)]
            {
                check::<f32>(isa, rows, cols, samples);
                check::<f64>(isa, rows, cols, samples);
            }
        }
    }

    #[test]
    fn the_greatest_sums_fit() {
        let cols = MOST_COLUMNS;
        let packed = PanelBuf::from_rows(1, cols, &vec![-1.0_f32; cols]);
        let x = ByteRows::new(1, cols, &vec![255; cols]);
        for isa in [Some(ByteIsa::PORTABLE), ByteIsa::fast()].into_iter().flatten() {
            let w = ByteWeights::new(isa, packed.view(), &vec![0.0; cols]).unwrap();
            let mut out = [0.0_f64];
            byte_dot(isa, &w, &x, 0..1, &mut out);
            assert!((out[0] + 255.0 * cols as f64).abs() < 1e-3 * cols as f64, "{}", out[0]);
        }
        let portable = ByteIsa::PORTABLE;
        assert!(
            ByteWeights::new(portable, PanelBuf::<f32>::zeros(1, cols + 1).view(), &vec![0.0; cols + 1])
                .is_none()
        );
        for bad in [f32::NAN, f32::INFINITY] {
            assert!(
                ByteWeights::new(portable, PanelBuf::from_rows(1, 2, &[1.0, bad]).view(), &[0.0; 2])
                    .is_none()
            );
        }
    }
}
