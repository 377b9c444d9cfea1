//! Clipped gradients, and a momentum that is set.
#![allow(clippy::unwrap_used, clippy::float_cmp)] // a test fails by panic; exact where it says so

use ndarray::{ArrayD, IxDyn, arr1};
use thinnet::optim::{Clipping, Optimiser, SgdMomentum};

/// Gradients (3, 0, -4) and 12 have the norm 13.
#[test]
fn clipping_bounds_all_gradients_together_or_each_entry() {
    let clipped = |clipping: Clipping, g: [f64; 4]| {
        let (mut first, mut second) = (arr1(&g[..3]).into_dyn(), arr1(&g[3..]).into_dyn());
        clipping.clip(&mut [first.view_mut(), second.view_mut()]);
        [first[0], first[1], first[2], second[0]]
    };
    let g = [3.0, 0.0, -4.0, 12.0];
    assert_eq!(clipped(Clipping::Norm(6.5), g), [1.5, 0.0, -2.0, 6.0]);
    assert_eq!(clipped(Clipping::Norm(13.0), g), g, "at the bound, and within it, nothing changes");
    assert_eq!(clipped(Clipping::Value(3.5), g), [3.0, 0.0, -3.5, 3.5]);
    assert_eq!(clipped(Clipping::Value(12.0), g), g);
    for clipping in [Clipping::Norm(1.0), Clipping::Value(1.0)] {
        let with_nan = clipped(clipping, [f64::NAN, 0.0, 0.5, 0.25]);
        assert!(with_nan[0].is_nan() && with_nan[1..] == [0.0, 0.5, 0.25], "{clipping:?}: {with_nan:?}");
        clipping.check().unwrap();
    }
    // Squares of 32-bit numbers are summed in 64 bits, where they do not overflow.
    let mut large = ArrayD::from_elem(IxDyn(&[4]), 1e30_f32);
    Clipping::Norm(2.0).clip(&mut [large.view_mut()]);
    assert!(large.iter().all(|g| (g - 1.0).abs() < 1e-6), "{large}");
    let json = serde_json::to_string(&[Clipping::Norm(1.5), Clipping::Value(0.1)]).unwrap();
    assert_eq!(json, r#"[{"norm":1.5},{"value":0.1}]"#);
}

#[test]
fn momentum_is_set_in_range_and_where_there_is_one() {
    let rule: Optimiser = "sgd_momentum".parse().unwrap();
    let expected = Optimiser::SgdMomentum(SgdMomentum { momentum: 0.5, ..SgdMomentum::default() });
    assert_eq!(rule.with_momentum(0.5).unwrap(), expected);
    for bad in [1.0, -0.1, f64::NAN] {
        let message = rule.with_momentum(bad).unwrap_err().to_string();
        assert_eq!(message, format!("momentum must be at least 0 and below 1, got {bad}"));
    }
    for name in ["sgd", "rmsprop", "adam", "adamw"] {
        let message = name.parse::<Optimiser>().unwrap().with_momentum(0.5).unwrap_err().to_string();
        assert_eq!(
            message,
            format!("only the optimiser sgd_momentum has a momentum to set, but the optimiser is {name}")
        );
    }
}
