//! candle's training step. Setting: `f32`. `AdamW` without weight decay is Adam.

use candle_core::{DType, Device, Module, Tensor};
use candle_nn::{AdamW, Dropout, Linear, Optimizer, ParamsAdamW, VarBuilder, VarMap, linear, loss};
use protocol::{IMAGES, LEARNING_RATE, Result, Step, Work};

fn prepare(work: &Work) -> Result<Step> {
    let (features, classes) = (work.net[0], work.net[work.net.len() - 1]);
    let x_all = Tensor::from_vec(protocol::images(features), (IMAGES, features), &Device::Cpu)?;
    let y_all = Tensor::from_vec(protocol::labels(features, classes), IMAGES, &Device::Cpu)?;

    let vars = VarMap::new();
    let builder = VarBuilder::from_varmap(&vars, DType::F32, &Device::Cpu);
    let layers: Vec<Linear> = work
        .net
        .windows(2)
        .enumerate()
        .map(|(i, sizes)| linear(sizes[0], sizes[1], builder.pp(i)))
        .collect::<candle_core::Result<_>>()?;
    let dropout = (work.keep < 1.0).then(|| Dropout::new((1.0 - work.keep) as f32));
    let params = ParamsAdamW { lr: LEARNING_RATE, weight_decay: 0.0, ..ParamsAdamW::default() };
    let mut adam = AdamW::new(vars.all_vars(), params)?;

    let (size, mut drawn) = (work.batch, 0);
    Ok(Box::new(move || {
        let batch = Tensor::from_vec(protocol::batch(size, &mut drawn), size, &Device::Cpu)?;
        let mut x = x_all.index_select(&batch, 0)?;
        for (i, layer) in layers.iter().enumerate() {
            x = layer.forward(&x)?;
            if i + 1 < layers.len() {
                x = x.relu()?;
                if let Some(dropout) = &dropout {
                    x = dropout.forward(&x, true)?;
                }
            }
        }
        let loss = loss::cross_entropy(&x, &y_all.index_select(&batch, 0)?)?;
        adam.backward_step(&loss)?;
        Ok(loss.to_scalar()?)
    }))
}

fn main() -> Result<()> {
    protocol::serve(prepare)
}
