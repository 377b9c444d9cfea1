//! A model as it is after an export with fewer bits, to measure what they cost.

use crate::error::Result;
use crate::float::Float;
use crate::layers::Normalisation;
use crate::model::Model;
use crate::net::FullyConnectedNet;

use super::fold::fold;
use super::weights::Weights;

/// The model whose predictions are those of an exported file with such weights.
///
/// - `folded`: whether batch normalisation is part of the weights, as in ONNX
///
/// # Errors
/// As [`Weights::rounded`].
pub fn rounded<F: Float>(model: &Model<F>, weights: Weights, folded: bool) -> Result<Model<F>> {
    let mut trained = model.trained().clone();
    let nets = model.calibrated_nets().zip(model.trained().nets());
    // In ONNX the temperature is a node of its own.
    let nets = nets.map(|(calibrated, own)| of_net(if folded { own } else { &*calibrated }, weights, folded));
    let mut nets = nets.collect::<Result<Vec<_>>>()?;
    trained.others = nets.split_off(1);
    trained.net = nets.swap_remove(0);
    if !folded {
        trained.temperature = None; // it is in the last layer
    }
    trained.conformal = None;
    Model::new(trained, model.preprocessing().clone())
}

fn of_net<F: Float>(
    net: &FullyConnectedNet<F>,
    weights: Weights,
    folded: bool,
) -> Result<FullyConnectedNet<F>> {
    let mut config = net.config().clone();
    let folded = folded && config.normalisation == Normalisation::Batch;
    let mut parameters = net.parameters.clone();
    for (index, layer) in parameters.layers.iter_mut().enumerate() {
        let (mut w, mut b) = (layer.w.mapv(F::as_f64), layer.b.mapv(F::as_f64));
        if folded {
            if let (Some(running), Some((gamma, beta))) = (net.running().get(index), &layer.gamma_beta) {
                fold(&mut w, &mut b, running, gamma, beta);
            }
            layer.gamma_beta = None;
        }
        layer.w = weights.rounded(&w)?.mapv(F::from_f64);
        layer.b = b.mapv(F::from_f64);
    }
    if folded {
        config.normalisation = Normalisation::None;
    }
    let mut small = FullyConnectedNet::from_parameters(config, parameters)?;
    if !folded {
        small.set_running(net.running())?;
    }
    Ok(small)
}
