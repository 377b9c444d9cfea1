//! The forward pass.

use thinnet_kernels::{Lists, ListsView, PanelBuf, block_size, dense_dot, listed_dot, relu_listed};

use super::batch::BatchInput;
use super::products::{dense_scores, forward_listed, forward_rows};
use super::{Hidden, Thin};
use crate::float::Float;
use crate::layers::Activation;

impl<F: Float> Thin<F> {
    /// What becomes of a sum of hidden layer `index`.
    fn unit(&self, index: usize) -> Unit<F> {
        Unit { activation: self.config.activation, scale: self.scale(index), all: self.lists_all() }
    }

    /// The first layer's activations.
    fn first_hidden(&mut self) {
        if self.drops_weights(0) {
            let z = self.masked_sums(0);
            return self.later_hidden(0, &z);
        }
        let (unit, keep, kind) = (self.unit(0), self.config.computed_share(0), self.engine.kind);
        let noisy = self.config.is_noisy(0);
        let (isa, layer) = (self.isa, &self.layers[0]);
        let x = match &self.x {
            BatchInput::Dense(x) => x.view(),
            BatchInput::Sparse(x) => {
                let z = forward_rows(isa, &self.threads, layer, &x.by_sample, &x.a);
                return self.later_hidden(0, &z);
            }
        };
        let samples = x.rows();
        let hidden = &mut self.hidden[0];
        let (kept, noise) = (hidden.kept.view(), noisy.then_some(&hidden.noise));
        let parts = self.threads.each(self.threads.split(layer.outputs()), |units| {
            let kept = kept.slice(units.clone());
            let w = layer.w.value.view().slice(units.clone());
            let mut z = vec![F::zero(); kept.len()];
            if !kind.is_first_dense(keep) {
                listed_dot(isa, kept, w, x, &mut z);
            } else if keep >= 1.0 {
                dense_dot(isa, w, x, &mut z);
            } else {
                let mut all = vec![F::zero(); units.len() * x.rows()];
                dense_dot(isa, w, x, &mut all);
                for unit in 0..kept.rows() {
                    let all = &all[unit * x.rows()..];
                    for (z, &sample) in z[kept.row_entries(unit)].iter_mut().zip(kept.row(unit)) {
                        *z = all[sample as usize];
                    }
                }
            }
            let noise = noise.map(|noise| noise.units(units.clone(), samples));
            unit.activate(kept, &z, &layer.bias()[units], noise)
        });
        hidden.join(parts);
    }

    /// The outputs (N, H) of layer `index` > 0, from the activations below.
    fn product(&self, index: usize) -> PanelBuf<F> {
        let layer = &self.layers[index];
        let Hidden { active, values, .. } = &self.hidden[index - 1];
        forward_listed(self.isa, &self.threads, layer, active, values)
    }

    /// The activations of hidden layer `index`, from its outputs (N, H).
    fn later_hidden(&mut self, index: usize, z: &PanelBuf<F>) {
        let (unit, noisy) = (self.unit(index), self.config.is_noisy(index));
        let hidden = &mut self.hidden[index];
        let (kept, z, noise) = (hidden.kept.view(), z.view(), noisy.then_some(&hidden.noise));
        let parts = self.threads.each(self.threads.split(kept.rows()), |units| {
            let kept = kept.slice(units.clone());
            let mut entries = Vec::with_capacity(kept.len());
            for unit in 0..kept.rows() {
                let column = units.start + unit;
                let (panel, lane) = (column / F::PANEL, column % F::PANEL);
                entries.extend(kept.row(unit).iter().map(|&sample| z.row(panel, sample as usize)[lane]));
            }
            let bias = vec![F::zero(); units.len()]; // it is in `z` already
            let noise = noise.map(|noise| noise.units(units, z.rows()));
            unit.activate(kept, &entries, &bias, noise)
        });
        hidden.join(parts);
    }

    /// The class scores (N, C) of a training pass, as a matrix in panels.
    pub(super) fn forward(&mut self) -> PanelBuf<F> {
        let last = self.layers.len() - 1;
        if last == 0 {
            return match &self.x {
                BatchInput::Dense(x) => dense_scores(self.isa, &self.layers[0], x.view()),
                BatchInput::Sparse(x) => {
                    forward_rows(self.isa, &self.threads, &self.layers[0], &x.by_sample, &x.a)
                }
            };
        }
        self.first_hidden();
        for index in 1..last {
            let z = if self.drops_weights(index) { self.masked_sums(index) } else { self.product(index) };
            self.later_hidden(index, &z);
        }
        self.product(last)
    }
}

/// What becomes of a hidden unit's sum.
#[derive(Clone, Copy)]
struct Unit<F> {
    activation: Activation,
    /// Inverted dropout's factor.
    scale: F,
    /// Whether zeros are listed too.
    all: bool,
}

/// What has become of some units' sums.
#[derive(Default)]
struct Activated<F> {
    /// Of each unit, the samples in which it is active.
    active: Lists,
    /// The activations, an entry of `active` each.
    values: Vec<F>,
    /// Their derivatives by the sums, where there is noise on them.
    slopes: Vec<F>,
}

impl<F: Float> Unit<F> {
    /// From the sums `z` of what some units keep to their activations: listed where they are positive, for a ReLU, or
    /// everywhere that is kept; or, if `all` is set, at all places, with zeros where a unit was dropped or is not positive.
    ///
    /// - `noise`: Gaussian dropout's factors, an entry of `kept` each, which then keeps everything
    fn activate(self, kept: ListsView<'_>, z: &[F], bias: &[F], noise: Option<&[F]>) -> Activated<F> {
        if let Some(noise) = noise {
            return self.activate_noisy(kept, z, bias, noise);
        }
        let (mut active, mut values, slopes) = (Lists::new(), Vec::new(), Vec::new());
        if self.activation != Activation::Relu {
            active.rebuild_from_subset(kept, |unit, entry| {
                values.push(self.activation.value(z[entry] + bias[unit]) * self.scale);
                true
            });
            return Activated { active, values, slopes };
        }
        relu_listed(kept, z, bias, self.scale, &mut active, &mut values);
        if !self.all {
            return Activated { active, values, slopes };
        }
        let (units, samples) = (kept.rows(), kept.cols());
        let mut everywhere = vec![F::zero(); units * samples];
        for (unit, everywhere) in everywhere.chunks_exact_mut(samples.max(1)).enumerate() {
            let entries = active.view().row_entries(unit);
            for (&sample, &value) in active.view().row(unit).iter().zip(&values[entries]) {
                everywhere[sample as usize] = value;
            }
        }
        Activated { active: Lists::full(units, samples, block_size(samples)), values: everywhere, slopes }
    }

    /// The same with noise. The derivative cannot be told from the product of activation and factor, which is 0 where the
    /// factor is, and of the other sign where the factor is negative: it is kept.
    fn activate_noisy(self, kept: ListsView<'_>, z: &[F], bias: &[F], noise: &[F]) -> Activated<F> {
        let leaves_zeros_out = self.activation == Activation::Relu && !self.all;
        let mut out = Activated::default();
        let Activated { active, values, slopes } = &mut out;
        active.rebuild_from_subset(kept, |unit, entry| {
            let (a, factor) = (self.activation.value(z[entry] + bias[unit]), noise[entry]);
            let stays = !leaves_zeros_out || a > F::zero();
            if stays {
                values.push(a * factor);
                slopes.push(self.activation.derivative(a) * factor);
            }
            stays
        });
        out
    }
}

impl<F: Float> Hidden<F> {
    /// Takes what each thread has found of its units.
    fn join(&mut self, parts: Vec<Activated<F>>) {
        self.values.clear();
        self.slopes.clear();
        let take = |part: Activated<F>| {
            self.values.extend_from_slice(&part.values);
            self.slopes.extend_from_slice(&part.slopes);
            part.active
        };
        let lists: Vec<Lists> = parts.into_iter().map(take).collect();
        self.active.rebuild_from_parts(&lists);
    }
}
