//! The initial weights of a network.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::float::Float;
use crate::names::names;
use crate::random::RandomState;

/// The distribution of the initial weights. It is the same for all layers of a network, including the last; biases
/// are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Initialisation {
    /// `weight_scale * randn`: normal, with a standard deviation that is the same for every layer, as in the course.
    #[default]
    #[serde(alias = "course")]
    Normal,
    /// Normal, with a standard deviation of `sqrt(2 / fan_in)`, which keeps the size of activations through ReLUs (He
    /// et al., "Delving Deep into Rectifiers", ICCV 2015, equation 10).
    He,
    /// Uniform in `+-sqrt(6 / (fan_in + fan_out))`, a compromise between keeping the size of activations and of
    /// gradients (Glorot and Bengio, "Understanding the Difficulty of Training Deep Feedforward Neural Networks",
    /// AISTATS 2010, equation 16).
    Glorot,
}

names!(
    Initialisation,
    "initialisation",
    "initialisations",
    Normal = "normal" | "course",
    He = "he",
    Glorot = "glorot"
);

impl Initialisation {
    /// The weights (D, H) of a layer with D inputs (`fan_in`) and H outputs (`fan_out`), drawn in row-major order,
    /// one `randn` or `rand` each, computed in `f64` and rounded to `F`. Only [`Initialisation::Normal`] uses
    /// `weight_scale`.
    pub fn weights<F: Float>(
        self,
        (inputs, outputs): (usize, usize),
        weight_scale: f64,
        random: &mut RandomState,
    ) -> Array2<F> {
        let (shape, fan_in, fan_out) = ((inputs, outputs), inputs as f64, outputs as f64);
        let mut normal = |deviation: f64| random.randn(shape).mapv(|r| F::from_f64(deviation * r));
        match self {
            Self::Normal => normal(weight_scale),
            Self::He => normal((2.0 / fan_in).sqrt()),
            Self::Glorot => {
                let bound = (6.0 / (fan_in + fan_out)).sqrt();
                Array2::from_shape_simple_fn(shape, || F::from_f64(random.uniform(-bound, bound)))
            }
        }
    }
}
