//! Against finite differences of the plain loss.

use thinnet::gradient_check::{DEFAULT_STEP, eval_numerical_gradient};
use thinnet::layers::{DropoutKind, Normalisation};

use crate::Setup;

/// Gradients that are off by 1 everywhere make the checker show its own figure for every entry.
#[test]
fn the_figures_are_those_of_the_plain_loss() {
    use DropoutKind::{Bernoulli, DropConnect, Gaussian};
    use Normalisation::{Batch, Layer, None as Plain};
    for (keep, normalisation, kind) in [
        (None, Plain, Bernoulli),
        (Some(0.6), Plain, Bernoulli),
        (None, Batch, Bernoulli),
        (Some(0.6), Batch, Bernoulli),
        (Some(0.6), Plain, Gaussian),
        (Some(0.6), Plain, DropConnect),
        (Some(0.6), Batch, DropConnect),
        (None, Layer, Bernoulli),
        (Some(0.6), Layer, Bernoulli),
        (Some(0.6), Layer, Gaussian),
        (Some(0.6), Layer, DropConnect),
    ] {
        let setup = Setup::of_kind(&[5, 4], keep, normalisation, kind);
        let mut off = setup.gradients();
        for (_, mut array) in off.named_mut() {
            array += 1.0;
        }
        for (place, check) in setup.check(&off).into_iter().enumerate() {
            let parameters = setup.net.parameters.named();
            let (name, array) = &parameters[place];
            assert_eq!((&check.name, check.checked, check.kinks), (name, array.len(), 0));
            assert_eq!(check.wrong.len(), array.len());
            let plain = eval_numerical_gradient(
                |moved| {
                    let mut net = setup.net.clone();
                    net.parameters.named_mut()[place].1.assign(&moved);
                    Ok(net.loss(setup.x.view(), &setup.y, &mut setup.random.clone())?.0)
                },
                array.view(),
                DEFAULT_STEP,
            )
            .unwrap();
            for (entry, plain) in check.wrong.iter().zip(&plain) {
                let difference = (entry.numeric - plain).abs();
                assert!(difference < 1e-6 * plain.abs() + 1e-9, "{name}: {entry:?}, {plain}");
            }
        }
    }
}
