//! What initial weights are drawn from: the draws themselves, their statistics, and what is refused.
#![allow(clippy::unwrap_used, clippy::float_cmp)] // a test fails by panic; draws are the same or not

use ndarray::Array1;
use thinnet::net::{FullyConnectedNet, Initialisation, NetConfig};
use thinnet::random::RandomState;

fn net<F: thinnet::float::Float>(
    initialisation: Initialisation,
    (input_dim, hidden, num_outputs): (usize, usize, usize),
    random: &mut RandomState,
) -> FullyConnectedNet<F> {
    let config =
        NetConfig { input_dim, hidden: vec![hidden], num_outputs, initialisation, ..NetConfig::default() };
    FullyConnectedNet::new(config, random).unwrap()
}

/// NumPy 2.4.6 after `np.random.seed(231)`: `sqrt(2 / 15) * randn(15, 4)`, then `sqrt(2 / 4) * randn(4, 10)`; and
/// `uniform(-a, a, (15, 4))` with `a = sqrt(6 / 19)`, then `uniform(-b, b, (4, 10))` with `b = sqrt(6 / 14)`.
#[test]
fn the_first_draws_are_numpys() {
    for (initialisation, first, second) in [
        (
            Initialisation::He,
            [0.152_611_355_924_036_8, 0.510_148_891_858_484_8, -0.652_120_050_284_657_2],
            [-1.349_128_544_684_078_2, 0.348_312_065_293_522_43],
        ),
        (
            Initialisation::Glorot,
            [0.316_371_989_622_085, 0.094_642_875_997_866_7, -0.082_370_770_071_220_51],
            [-0.512_680_033_914_165_5, 0.583_045_074_239_072_5],
        ),
    ] {
        let net = net::<f64>(initialisation, (15, 4, 10), &mut RandomState::new(231));
        let [one, two] = &net.parameters.layers[..] else { unreachable!() };
        assert_eq!(one.w.iter().take(3).copied().collect::<Vec<_>>(), first, "{initialisation:?}");
        assert_eq!(two.w.iter().take(2).copied().collect::<Vec<_>>(), second, "{initialisation:?}");
        assert_eq!((&one.b, &two.b), (&Array1::zeros(4), &Array1::zeros(10)));
    }
}

/// One number of the stream for each weight, rounded to the network's type, whatever `weight_scale` is.
#[test]
fn nothing_but_the_weights_is_drawn() {
    for initialisation in [Initialisation::Normal, Initialisation::He, Initialisation::Glorot] {
        let (mut random, mut by_hand) = (RandomState::new(5), RandomState::new(5));
        let single = net::<f32>(initialisation, (15, 4, 10), &mut random);
        let double = net::<f64>(initialisation, (15, 4, 10), &mut RandomState::new(5));
        if initialisation == Initialisation::Glorot {
            by_hand.rand(100);
        } else {
            by_hand.randn(100);
        }
        assert_eq!(random.state(), by_hand.state(), "{initialisation:?}");
        for (single, double) in single.parameters.layers.iter().zip(&double.parameters.layers) {
            #[allow(clippy::cast_possible_truncation)]
            let rounded = double.w.mapv(|w| w as f32);
            assert_eq!(single.w, rounded);
        }
        let config = NetConfig { weight_scale: 7.0, ..double.config().clone() };
        let other = FullyConnectedNet::<f64>::new(config, &mut RandomState::new(5)).unwrap();
        assert_eq!(other.parameters == double.parameters, initialisation != Initialisation::Normal);
    }
}

/// Mean 0 and the variance of the formula in each layer, to four standard errors; what is uniform stays within its bound
/// and comes near it.
#[test]
fn the_statistics_are_those_of_the_formulas() {
    let (inputs, hidden, classes) = (400, 300, 50);
    for initialisation in [Initialisation::Normal, Initialisation::He, Initialisation::Glorot] {
        let net = net::<f64>(initialisation, (inputs, hidden, classes), &mut RandomState::new(2));
        for (layer, (fan_in, fan_out)) in net.parameters.layers.iter().zip([(400.0, 300.0), (300.0, 50.0)]) {
            let (variance, kurtosis): (f64, f64) = match initialisation {
                Initialisation::Normal => (1e-4, 3.0),
                Initialisation::He => (2.0 / fan_in, 3.0),
                Initialisation::Glorot => (2.0 / (fan_in + fan_out), 1.8),
            };
            let count = layer.w.len() as f64;
            let mean = layer.w.sum() / count;
            assert!(mean.abs() < 4.0 * (variance / count).sqrt(), "{initialisation:?}: mean {mean}");
            let squares = layer.w.mapv(|w| w * w).sum() / count;
            let error = 4.0 * ((kurtosis - 1.0) / count).sqrt();
            assert!((squares / variance - 1.0).abs() < error, "{initialisation:?}: variance {squares}");
            if initialisation == Initialisation::Glorot {
                let bound = (6.0 / (fan_in + fan_out)).sqrt();
                let largest = layer.w.iter().fold(0.0f64, |largest, w| largest.max(w.abs()));
                assert!(largest <= bound && largest > 0.999 * bound, "{largest} of {bound}");
            }
        }
    }
}

#[test]
fn initialisations_are_known_by_their_names() {
    for name in Initialisation::NAMES {
        let one: Initialisation = name.parse().unwrap();
        assert_eq!(one.name(), name);
        let json = format!("{name:?}");
        assert_eq!(serde_json::to_string(&one).unwrap(), json);
        assert_eq!(serde_json::from_str::<Initialisation>(&json).unwrap(), one);
    }
    assert_eq!("course".parse::<Initialisation>().unwrap(), Initialisation::Normal);
    assert_eq!(serde_json::from_str::<Initialisation>("\"course\"").unwrap(), Initialisation::Normal);
    assert_eq!(Initialisation::default(), NetConfig::default().initialisation);
    let message = "He".parse::<Initialisation>().unwrap_err().to_string();
    assert_eq!(message, "there is no initialisation \"He\"; the initialisations are normal, he, glorot");
}
