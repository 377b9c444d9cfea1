//! Lists, what is left of them, and what is refused.

use thinnet_kernels::{
    Adjust, Isa, Lists, PanelBuf, Update, add_row_sums, gather, listed_dot, listed_update, relu_listed,
};

use crate::{Random, SHAPES, assert_padding};

#[test]
fn lists_say_what_was_kept() {
    let mut random = Random(3);
    for (rows, samples, _, block, keep) in SHAPES {
        let mask: Vec<bool> = (0..rows * samples).map(|_| random.value() < 2.0 * keep - 1.0).collect();
        let lists = Lists::from_fn(rows, samples, block, |r, n| mask[r * samples + n]);
        for r in 0..rows {
            let expected: Vec<usize> = (0..samples).filter(|n| mask[r * samples + n]).collect();
            let got: Vec<usize> = lists.view().row(r).iter().map(|&n| n as usize).collect();
            assert_eq!(got, expected);
        }
        // From bits, with rubbish past the end.
        let per_row = samples.div_ceil(64);
        let mut words = vec![u64::MAX; rows * per_row];
        for (i, kept) in mask.iter().enumerate() {
            let (r, n) = (i / samples, i % samples);
            if !kept {
                words[r * per_row + n / 64] &= !(1 << (n % 64));
            }
        }
        let mut from_bits = Lists::new();
        from_bits.rebuild_from_bits(rows, samples, block, &words);
        assert_eq!(from_bits, lists);
        // Seen from the samples, and back.
        let (turned, from) = lists.transpose(3);
        assert_eq!(turned, Lists::from_fn(samples, rows, 3, |n, r| mask[r * samples + n]));
        let values: Vec<f64> = random.values(lists.len());
        let (mut there, mut back) = (vec![0.0; values.len()], vec![0.0; values.len()]);
        gather(&values, &from, &mut there);
        let (again, from) = turned.transpose(block);
        gather(&there, &from, &mut back);
        assert_eq!((again, back), (lists.clone(), values));
        // A thread's share of the samples.
        let share = samples / 3..samples - samples / 4;
        let (mut part, mut part_from) = (Lists::new(), Vec::new());
        part.rebuild_transposed_part(&lists, share.clone(), 3, &mut part_from);
        assert_eq!(part, Lists::from_fn(share.len(), rows, 3, |n, r| mask[r * samples + share.start + n]));
        let entries = turned.view().entries(share);
        let (_, turned_from) = lists.transpose(3);
        assert_eq!(part_from, turned_from[entries]);
        // Row by row.
        let mut given = Lists::new();
        given.rebuild_from_rows(
            samples,
            block,
            (0..rows).map(|r| lists.view().row(r)).collect::<Vec<_>>().into_iter(),
        );
        assert_eq!(given, lists);
        // In two parts.
        let cut = rows / 2;
        let part = |from: usize, to: usize| {
            Lists::from_fn(to - from, samples, block, |r, n| mask[(from + r) * samples + n])
        };
        let mut joined = Lists::new();
        joined.rebuild_from_parts(&[part(0, cut), part(cut, rows)]);
        assert_eq!(joined, lists);
    }
}

#[test]
fn relu_keeps_what_is_positive() {
    let kept = Lists::from_fn(2, 4, 2, |r, n| r == 0 || n > 1);
    let z = [1.0, -1.0, 0.0, 3.0, -5.0, 2.0];
    let (mut active, mut values) = (Lists::new(), vec![9.0; 40]);
    relu_listed(kept.view(), &z, &[0.5, -1.0], 2.0, &mut active, &mut values);
    assert_eq!(
        active,
        Lists::from_fn(2, 4, 2, |r, n| [[true, false, true, true], [false, false, false, true]][r][n])
    );
    assert_eq!(values, [3.0, 1.0, 7.0, 2.0]);
    let mut sums = [10.0, 20.0];
    add_row_sums(active.view(), &values, &mut sums);
    assert_eq!(sums, [21.0, 22.0]);
    let mut dense = PanelBuf::zeros(4, 3);
    dense.view_mut().scatter(active.view(), 1, &values);
    assert_eq!(dense.view().to_rows(), [0., 3., 0., 0., 0., 0., 0., 1., 0., 0., 7., 2.]);
}

#[test]
fn rows_are_packed_and_gathered() {
    let mut random = Random(5);
    for cols in [0, 1, 31, 64, 65, 200] {
        let source: Vec<f32> = random.values(7 * cols);
        let packed = PanelBuf::from_rows(7, cols, &source);
        assert_eq!(packed.view().to_rows(), source);
        let mut chosen = PanelBuf::from_rows(3, cols, &vec![9.0; 3 * cols]);
        chosen.view_mut().pack_chosen(&source, &[6, 0, 6]);
        let row = |r: usize| &source[r * cols..(r + 1) * cols];
        assert_eq!(chosen.view().to_rows(), [row(6), row(0), row(6)].concat());
        assert_eq!(chosen.view().slice(1..2).to_rows(), row(0));
        assert_padding(&chosen, "chosen");
        let (mut left, mut right) = chosen.view_mut().split_at(1);
        left.clear();
        if cols > 0 {
            right.reborrow().row_mut(0, 0).fill(0.0);
        }
        assert!(left.as_view().to_rows().iter().all(|&x| x == 0.0));
    }
}

/// A caller's closure may panic, and be caught, in the middle of a row: what is left must not reach a kernel's loops.
#[test]
fn lists_left_half_built_are_refused() {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    let quietly = |run: &mut dyn FnMut()| catch_unwind(AssertUnwindSafe(run)).is_err();
    let mut broken = Lists::full(3, 8, 4);
    assert!(quietly(&mut || broken.rebuild_from_fn(3, 8, 4, |r, i| {
        assert!((r, i) != (1, 5), "as planned");
        true
    })));
    let (w, y) = (PanelBuf::<f32>::zeros(3, 5), PanelBuf::zeros(8, 5));
    let mut out = [0.0; 24];
    let isa = Isa::detect();
    for len in [8, 13, 17, 24] {
        assert!(quietly(&mut || listed_dot(isa, broken.view(), w.view(), y.view(), &mut out[..len])));
    }
    let mut target = Lists::full(2, 2, 2);
    assert!(quietly(&mut || target.rebuild_transposed(&broken, 4, &mut Vec::new())));
    assert_eq!(target, Lists::full(2, 2, 2));
}

#[test]
#[should_panic(expected = "lists of 9 samples of 8")]
fn lists_past_the_samples_are_refused() {
    let (w, y) = (PanelBuf::<f32>::zeros(2, 5), PanelBuf::zeros(8, 5));
    let lists = Lists::full(2, 9, 4);
    listed_dot(Isa::detect(), lists.view(), w.view(), y.view(), &mut [0.0; 18]);
}

#[test]
#[should_panic(expected = "not of the same rows")]
fn state_of_other_rows_is_refused() {
    let (mut w, mut v, y) = (PanelBuf::<f32>::zeros(4, 5), PanelBuf::zeros(4, 5), PanelBuf::zeros(8, 5));
    let (first, _) = w.view_mut().split_at(2);
    let (_, second) = v.view_mut().split_at(2);
    let rule = Update::Momentum { learning_rate: 0.1, momentum: 0.9, nesterov: false, velocity: second };
    let lists = Lists::full(2, 8, 4);
    listed_update(Isa::detect(), lists.view(), &[0.0; 16], y.view(), first, Adjust::NONE, rule);
}
