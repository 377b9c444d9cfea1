//! Wrong gradients are found.

use thinnet::layers::{
    Dropout, Mode, Normalisation, affine_backward, affine_forward, affine_relu_backward, affine_relu_forward,
    dropout_forward, softmax_loss,
};

use crate::{Setup, names_of_wrong};

#[test]
fn right_gradients_pass() {
    for normalisation in [Normalisation::None, Normalisation::Batch, Normalisation::Layer] {
        for keep in [None, Some(1.0), Some(0.5)] {
            let setup = Setup::new(&[5, 5], keep, normalisation);
            assert_eq!(names_of_wrong(&setup.check(&setup.gradients())), [""; 0]);
        }
    }
}

#[test]
fn one_entry_off_by_a_hundredth_is_found() {
    let setup = Setup::new(&[5, 4], Some(0.6), Normalisation::None);
    for (place, (name, _)) in setup.net.parameters.named().into_iter().enumerate() {
        let mut gradients = setup.gradients();
        let index = {
            let (_, mut array) = gradients.named_mut().swap_remove(place);
            let (index, value) =
                array.iter_mut().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())).unwrap();
            *value *= 1.01;
            index
        };
        let checks = setup.check(&gradients);
        assert_eq!(names_of_wrong(&checks), [name.as_str()]);
        let check = &checks[place];
        assert_eq!((check.wrong.len(), check.wrong[0].index), (1, index));
        assert_eq!(check.worst.map(|worst| worst.index), Some(index));
        assert!((check.rel_error - 0.01 / 2.01).abs() < 1e-5);
    }
}

#[test]
fn a_transposed_gradient_is_found() {
    let setup = Setup::new(&[5, 5], None, Normalisation::None);
    let mut gradients = setup.gradients();
    gradients.layers[1].w = gradients.layers[1].w.t().to_owned();
    assert_eq!(names_of_wrong(&setup.check(&gradients)), ["W2"]);
}

#[test]
fn a_forgotten_mean_over_the_samples_is_found() {
    let setup = Setup::new(&[5, 4], Some(0.6), Normalisation::Batch);
    let mut gradients = setup.gradients();
    for (_, mut array) in gradients.named_mut() {
        array *= 5.0;
    }
    let checks = setup.check(&gradients);
    // Biases before a batch normalisation have no effect: their gradient is 0, however often it is counted.
    assert_eq!(names_of_wrong(&checks), ["W1", "gamma1", "beta1", "W2", "gamma2", "beta2", "W3", "b3"]);
}

#[test]
fn a_forgotten_regularisation_is_found_in_the_weights() {
    let setup = Setup::new(&[5], None, Normalisation::None);
    let mut gradients = setup.gradients();
    for (gradient, layer) in gradients.layers.iter_mut().zip(&setup.net.parameters.layers) {
        gradient.w.scaled_add(-0.3, &layer.w);
    }
    assert_eq!(names_of_wrong(&setup.check(&gradients)), ["W1", "W2"]);
}

/// What a student writes who applies dropout on the way forward and forgets it on the way back.
#[test]
fn a_mask_forgotten_on_the_way_back_is_found() {
    let setup = Setup::new(&[5], Some(0.5), Normalisation::None);
    let [first, second] = &setup.net.parameters.layers[..] else { panic!("two layers") };
    let mut random = setup.random.clone();
    let (hidden, cache) = affine_relu_forward(setup.x.view(), first.w.view(), first.b.view()).unwrap();
    let dropout = Dropout::new(0.5, None).unwrap();
    let (dropped, _) = dropout_forward(hidden.view(), dropout, Mode::Train, &mut random);
    let (scores, last) = affine_forward(dropped.view(), second.w.view(), second.b.view()).unwrap();
    let (_, dscores) = softmax_loss(scores.view(), &setup.y).unwrap();
    let after = affine_backward(dscores.view(), &last).unwrap();
    let before = affine_relu_backward(after.x.view(), &cache).unwrap();
    let mut gradients = setup.gradients();
    assert_eq!(gradients.layers[1].b, after.b); // the same pass
    gradients.layers[0].w = before.w + &first.w * 0.3;
    gradients.layers[0].b = before.b;
    assert_eq!(names_of_wrong(&setup.check(&gradients)), ["W1", "b1"]);
}

#[test]
fn a_gradient_that_is_not_a_number_is_found() {
    let setup = Setup::new(&[5], None, Normalisation::None);
    let mut gradients = setup.gradients();
    gradients.layers[0].w[(1, 2)] = f64::NAN;
    let checks = setup.check(&gradients);
    assert_eq!(names_of_wrong(&checks), ["W1"]);
    assert!(checks[0].rel_error.is_nan());
    assert_eq!(checks[0].worst.map(|worst| worst.index), Some(7));
}
