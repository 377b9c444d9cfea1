//! The checker of whole networks: what it finds, and what it does not take for a mistake.
#![allow(clippy::unwrap_used, clippy::panic, clippy::float_cmp)] // a test fails by panic; exact where it says so

mod functions;
mod kinks;
mod net;
mod rounding;
mod run;
mod wrong;

use ndarray::Array2;
use thinnet::gradient_check::{NetCheckConfig, ParameterCheck, check_gradients};
use thinnet::layers::{Dropout, DropoutKind, Normalisation};
use thinnet::net::{FullyConnectedNet, NetConfig, Parameters};
use thinnet::random::RandomState;

/// Gives biases values. Where they are 0, a unit whose inputs are all dropped sits exactly at its kink.
fn lift(net: &mut FullyConnectedNet<f64>, random: &mut RandomState) {
    for layer in &mut net.parameters.layers {
        layer.b = random.randn(layer.b.len()) * 0.3;
    }
}

/// A network, inputs and labels from one stream, which is given back where they leave it.
struct Setup {
    net: FullyConnectedNet<f64>,
    x: Array2<f64>,
    y: Vec<usize>,
    random: RandomState,
}

impl Setup {
    fn new(hidden: &[usize], keep: Option<f64>, normalisation: Normalisation) -> Self {
        Self::of_kind(hidden, keep, normalisation, DropoutKind::Bernoulli)
    }

    fn of_kind(
        hidden: &[usize],
        keep: Option<f64>,
        normalisation: Normalisation,
        dropout_kind: DropoutKind,
    ) -> Self {
        let mut random = RandomState::new(231);
        let config = NetConfig {
            input_dim: 6,
            hidden: hidden.to_vec(),
            num_outputs: 4,
            dropout: keep.map(|p| Dropout::new(p, None).unwrap()).into(),
            dropout_kind,
            normalisation,
            reg: 0.3,
            weight_scale: 0.5,
            ..NetConfig::default()
        };
        let x = random.randn((5, 6));
        let y = random.choice(4, 5).unwrap();
        let mut net = FullyConnectedNet::new(config, &mut random).unwrap();
        lift(&mut net, &mut random);
        Self { net, x, y, random }
    }

    fn gradients(&self) -> Parameters<f64> {
        self.net.clone().loss(self.x.view(), &self.y, &mut self.random.clone()).unwrap().1
    }

    fn check(&self, gradients: &Parameters<f64>) -> Vec<ParameterCheck> {
        let config = NetCheckConfig::default();
        check_gradients(&self.net, gradients, self.x.view(), &self.y, &self.random, &config).unwrap()
    }
}

fn names_of_wrong(checks: &[ParameterCheck]) -> Vec<&str> {
    checks.iter().filter(|check| !check.passes()).map(|check| check.name.as_str()).collect()
}
