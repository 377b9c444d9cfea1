//! A network as it was read: its layers, and what the file says about its samples.

use ndarray::{Array1, Array2};

use crate::data::{Columns, Scale};
use crate::error::{Error, Result, ensure};
use crate::float::Float;
use crate::layers::{Activation, Dropout, Loss, Normalisation, RunningStatistics};
use crate::net::{FullyConnectedNet, LayerParameters, NetConfig, Parameters};
use crate::training::Task;

/// A trained network from a file, with D inputs and C outputs. Its numbers are 64-bit floats, so that those of any file
/// are exact.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The file's name, for messages.
    pub source: String,
    /// Weights (inputs, outputs), biases, and the normalisation's scale and shift, layer by layer.
    pub parameters: Parameters<f64>,
    /// Running statistics of each hidden layer with batch normalisation.
    pub running: Vec<RunningStatistics<f64>>,
    /// The activation of the hidden layers; `None` if the file does not say it.
    pub activation: Option<Activation>,
    /// The normalisation of the hidden layers.
    pub normalisation: Normalisation,
    /// How its inputs are scaled (D), if the file says it.
    pub scale: Option<Scale>,
    /// What it predicts, if the file says it.
    pub task: Option<Task>,
    /// The loss, which says what several outputs of one target mean; only a model of this library has it.
    pub loss: Option<Loss>,
    /// The scaling of a regression's K targets, if the file says it; otherwise outputs are in the units of the data.
    pub targets: Option<Scale>,
    /// The names of the C classes or K targets, if the file has them.
    pub names: Option<Vec<String>>,
    /// The columns of the table that it was trained on.
    pub columns: Option<Columns>,
}

/// One layer in the making.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layer {
    /// (inputs, outputs)
    pub(super) w: Array2<f64>,
    pub(super) b: Array1<f64>,
    pub(super) norm: Option<Norm>,
}

/// A normalisation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Norm {
    pub(super) gamma: Array1<f64>,
    pub(super) beta: Array1<f64>,
    /// Of batch normalisation.
    pub(super) running: Option<RunningStatistics<f64>>,
}

impl Imported {
    /// A network of these layers, of which nothing else is known.
    ///
    /// # Errors
    /// [`Error::Data`] unless the layers form a chain of finite numbers, with one kind of normalisation or none.
    pub(super) fn of_layers(layers: Vec<Layer>) -> Result<Self> {
        let (mut all, mut running) = (Vec::new(), Vec::new());
        let (mut affine, mut normed) = (0, 0);
        let hidden = layers.len().saturating_sub(1);
        for Layer { w, b, norm } in layers {
            let gamma_beta = norm.map(|norm| {
                normed += 1;
                running.extend(norm.running);
                (norm.gamma, norm.beta)
            });
            ensure!(
                affine < hidden || gamma_beta.is_none(),
                Error::data("its last layer has a normalisation, but only hidden layers have one here")
            );
            affine += 1;
            all.push(LayerParameters { w, b, gamma_beta });
        }
        ensure!(
            normed == 0 || normed == hidden,
            Error::data(format!(
                "{normed} of its {hidden} hidden layers have a normalisation, but here all of them have one, or none"
            ))
        );
        ensure!(
            running.is_empty() || running.len() == hidden,
            Error::data("it has both batch and layer normalisation, but a network has one of them here")
        );
        let imported = Self {
            source: String::new(),
            parameters: Parameters { layers: all },
            normalisation: match (normed, running.is_empty()) {
                (0, _) => Normalisation::None,
                (_, true) => Normalisation::Layer,
                (_, false) => Normalisation::Batch,
            },
            running,
            activation: None,
            scale: None,
            task: None,
            loss: None,
            targets: None,
            names: None,
            columns: None,
        };
        imported.check()?;
        Ok(imported)
    }

    /// Refuses sizes that do not match, and numbers that are not finite; all may come from a file.
    pub(super) fn check(&self) -> Result<()> {
        let layers = &self.parameters.layers;
        ensure!(!layers.is_empty(), Error::data("it has no layers"));
        let mut before = None;
        for (layer, number) in layers.iter().zip(1..) {
            let (inputs, outputs) = layer.w.dim();
            ensure!(
                inputs > 0 && outputs > 0,
                Error::data(format!("layer {number} has weights of the shape ({inputs}, {outputs})"))
            );
            ensure!(
                before.is_none_or(|before| before == inputs),
                Error::data(format!(
                    "its layers are no chain: layer {number} takes {inputs} numbers, but the layer before it gives {}",
                    before.unwrap_or_default()
                ))
            );
            before = Some(outputs);
            let running = self.running.get(number - 1);
            let vectors = [Some(("biases", &layer.b))]
                .into_iter()
                .chain(layer.gamma_beta.iter().flat_map(|(gamma, beta)| {
                    [
                        Some(("a scale of its normalisation", gamma)),
                        Some(("a shift of its normalisation", beta)),
                    ]
                }))
                .chain(running.iter().flat_map(|running| {
                    [Some(("a running mean", &running.mean)), Some(("a running variance", &running.variance))]
                }));
            for (what, vector) in vectors.flatten() {
                ensure!(
                    vector.len() == outputs,
                    Error::data(format!(
                        "layer {number} has {outputs} units, but {what} of {} numbers",
                        vector.len()
                    ))
                );
                ensure!(vector.iter().all(|number| number.is_finite()), not_finite(what, number));
            }
            ensure!(layer.w.iter().all(|number| number.is_finite()), not_finite("weights", number));
            ensure!(
                running.is_none_or(|running| running.variance.iter().all(|variance| *variance >= 0.0)),
                Error::data(format!("layer {number} has a running variance below 0"))
            );
        }
        check_scale(self.scale.as_ref(), self.inputs(), "inputs")?;
        let targets = self.targets.as_ref().map_or(self.outputs(), |targets| targets.mean.len());
        check_scale(self.targets.as_ref(), targets, "outputs")?;
        let named = self.names.as_ref().map_or(targets, Vec::len);
        ensure!(
            named == targets && targets > 0 && self.outputs().is_multiple_of(targets),
            Error::data(format!(
                "it has {} outputs, but names of {named} and a scaling of {targets}",
                self.outputs()
            ))
        );
        let columns = self.columns.as_ref().map(Columns::input_dim);
        ensure!(
            columns.is_none_or(|columns| columns == self.inputs()),
            Error::data(format!(
                "it takes {} numbers, but its columns make {}",
                self.inputs(),
                columns.unwrap_or_default()
            ))
        );
        Ok(())
    }

    /// The number of inputs D.
    pub fn inputs(&self) -> usize {
        self.parameters.layers.first().map_or(0, |layer| layer.w.nrows())
    }

    /// How many outputs each target or class has: more than one for noise and quantiles.
    pub(super) fn outputs_each(&self) -> usize {
        self.outputs() / self.targets.as_ref().map_or(self.outputs(), |targets| targets.mean.len()).max(1)
    }

    /// The number of outputs C.
    pub fn outputs(&self) -> usize {
        self.parameters.layers.last().map_or(0, |layer| layer.w.ncols())
    }

    /// Units of each hidden layer.
    pub fn hidden(&self) -> Vec<usize> {
        let (_, hidden) = self.parameters.layers.split_last().unzip();
        hidden.unwrap_or_default().iter().map(|layer| layer.w.ncols()).collect()
    }

    /// The network without dropout. Its inputs are scaled by [`Imported::scale`], and a regression's outputs by
    /// [`Imported::targets`].
    ///
    /// - `activation`: that of the hidden layers, if the file does not say it
    ///
    /// # Errors
    /// [`Error::Data`] for numbers beyond the range of `F`.
    pub fn net<F: Float>(&self, activation: Activation) -> Result<FullyConnectedNet<F>> {
        let config = NetConfig {
            input_dim: self.inputs(),
            hidden: self.hidden(),
            num_outputs: self.outputs(),
            activation: self.activation.unwrap_or(activation),
            normalisation: self.normalisation,
            dropout: None::<Dropout>.into(),
            ..NetConfig::default()
        };
        let (parameters, running) = self.converted()?;
        let mut net = FullyConnectedNet::from_parameters(config, parameters)?;
        net.set_running(&running)?;
        Ok(net)
    }

    /// Parameters and running statistics as numbers of `F`.
    pub(super) fn converted<F: Float>(&self) -> Result<(Parameters<F>, Vec<RunningStatistics<F>>)> {
        let mut layers = Vec::with_capacity(self.parameters.layers.len());
        for (layer, number) in self.parameters.layers.iter().zip(1..) {
            let vector = |vector: &Array1<f64>| vector.mapv(F::from_f64);
            let layer = LayerParameters {
                w: layer.w.mapv(F::from_f64),
                b: vector(&layer.b),
                gamma_beta: layer.gamma_beta.as_ref().map(|(gamma, beta)| (vector(gamma), vector(beta))),
            };
            let vectors = layer.gamma_beta.iter().flat_map(|(gamma, beta)| [gamma, beta]).chain([&layer.b]);
            ensure!(
                layer.w.iter().chain(vectors.flatten()).all(|number| number.is_finite()),
                beyond::<F>(number)
            );
            layers.push(layer);
        }
        let mut running = Vec::with_capacity(self.running.len());
        for (own, number) in self.running.iter().zip(1..) {
            let own = RunningStatistics {
                mean: own.mean.mapv(F::from_f64),
                variance: own.variance.mapv(F::from_f64),
            };
            ensure!(
                own.mean.iter().chain(&own.variance).all(|number| number.is_finite()),
                beyond::<F>(number)
            );
            running.push(own);
        }
        Ok((Parameters { layers }, running))
    }
}

/// Refuses a scaling of another number of values, or one that divides by 0.
fn check_scale(scale: Option<&Scale>, size: usize, what: &str) -> Result<()> {
    let Some(Scale { mean, deviation }) = scale else { return Ok(()) };
    let fits = |numbers: &[f64]| numbers.len() == size && numbers.iter().all(|number| number.is_finite());
    let divides = |deviation: &Vec<f64>| fits(deviation) && deviation.iter().all(|number| *number != 0.0);
    ensure!(
        fits(mean) && deviation.as_ref().is_none_or(divides),
        Error::data(format!(
            "the scaling of its {what} is not one finite mean and deviation for each of {size}"
        ))
    );
    Ok(())
}

fn not_finite(what: &str, layer: usize) -> Error {
    Error::data(format!("layer {layer} has {what} that are not finite"))
}

fn beyond<F: Float>(layer: usize) -> Error {
    Error::data(format!("layer {layer} has numbers beyond the range of {}", F::DTYPE))
}
