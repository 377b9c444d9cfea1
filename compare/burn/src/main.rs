//! burn's training step, float32. Setting: `flex`, the CPU backend that burn recommends.

use burn::module::Module;
use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};
use protocol::{IMAGES, LEARNING_RATE, Result, Step, Work};

#[derive(Module, Debug)]
struct Net {
    layers: Vec<Linear>,
    dropout: Option<Dropout>,
    loss: CrossEntropyLoss,
}

impl Net {
    fn new(work: &Work, device: &Device) -> Self {
        Self {
            layers: work
                .net
                .windows(2)
                .map(|sizes| LinearConfig::new(sizes[0], sizes[1]).init(device))
                .collect(),
            dropout: (work.keep < 1.0).then(|| DropoutConfig::new(1.0 - work.keep).init()),
            loss: CrossEntropyLossConfig::new().init(device),
        }
    }

    fn loss(&self, mut x: Tensor<2>, y: Tensor<1, Int>) -> Tensor<1> {
        for (i, layer) in self.layers.iter().enumerate() {
            x = layer.forward(x);
            if i + 1 < self.layers.len() {
                x = relu(x);
                if let Some(dropout) = &self.dropout {
                    x = dropout.forward(x);
                }
            }
        }
        self.loss.forward(x, y)
    }
}

fn prepare(work: &Work) -> Result<Step> {
    let device = Device::flex().autodiff();
    let (features, classes) = (work.net[0], work.net[work.net.len() - 1]);
    let x_all = TensorData::new(protocol::images(features), [IMAGES, features]);
    let x_all = Tensor::<2>::from_data(x_all, &device);
    let y_all =
        TensorData::new(protocol::labels(features, classes).into_iter().map(i64::from).collect(), [IMAGES]);
    let y_all = Tensor::<1, Int>::from_data(y_all, &device);

    let mut net = Some(Net::new(work, &device));
    let mut adam = AdamConfig::new().with_epsilon(1e-8).init();
    let (size, mut drawn) = (work.batch, 0);
    Ok(Box::new(move || {
        let batch = protocol::batch(size, &mut drawn).into_iter().map(i64::from).collect();
        let batch = Tensor::<1, Int>::from_data(TensorData::new(batch, [size]), &device);
        let trained = net.take().ok_or("a step failed before")?;
        let loss = trained.loss(x_all.clone().select(0, batch.clone()), y_all.clone().select(0, batch));
        let gradients = GradientsParams::from_grads(loss.backward(), &trained);
        net = Some(adam.step(LEARNING_RATE, trained, gradients));
        Ok(loss.into_scalar())
    }))
}

fn main() -> Result<()> {
    protocol::serve(prepare)
}
