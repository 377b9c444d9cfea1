//! The forward pass.

use thinnet_kernels::{Lists, ListsView, PanelBuf, dense_dot, listed_dot, relu_listed};

use super::batch::BatchInput;
use super::products::{forward_dense, forward_listed, forward_rows};
use super::{Hidden, Thin};
use crate::float::Float;
use crate::layers::{Activation, Mode};

impl<F: Float> Thin<F> {
    /// How a sum of hidden layer `index` becomes an activation.
    fn unit(&self, index: usize) -> Unit<F> {
        Unit { activation: self.config.activation, scale: self.scale(index) }
    }

    /// Whether the first layer computes the sums of every unit, although samples are listed.
    pub(super) fn first_is_whole(&self) -> bool {
        self.engine.kind.is_first_dense(self.config.computed_share(0))
    }

    /// The first layer's activations from a dense input, using lists of what is kept.
    fn first_listed(&mut self) {
        let BatchInput::Dense(x) = &self.x else { return };
        let x = x.view();
        let (unit, keep, whole) = (self.unit(0), self.config.computed_share(0), self.first_is_whole());
        let noisy = self.config.is_noisy(0);
        let (isa, layer, samples) = (self.isa, &self.layers[0], x.rows());
        let hidden = &mut self.hidden[0];
        let (kept, noise) = (hidden.kept.view(), noisy.then_some(&hidden.noise));
        let parts = self.threads.each(self.threads.split(layer.outputs()), |units| {
            let kept = kept.slice(units.clone());
            let w = layer.w.value.view().slice(units.clone());
            let mut z = vec![F::zero(); kept.len()];
            if !whole {
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

    /// The outputs (N, H) of layer `index`, from the layer below.
    fn product(&self, index: usize, z: &mut PanelBuf<F>) {
        let (isa, threads, layer) = (self.isa, &self.threads, &self.layers[index]);
        match (index.checked_sub(1), &self.x) {
            (None, BatchInput::Dense(x)) => forward_dense(isa, threads, layer, x.view(), z),
            (None, BatchInput::Sparse(x)) => forward_rows(isa, threads, layer, &x.by_sample, &x.a, z),
            (Some(below), _) if self.is_dense(below) => {
                forward_dense(isa, threads, layer, self.hidden[below].dense.h.view(), z);
            }
            (Some(below), _) => {
                let Hidden { active, values, .. } = &self.hidden[below];
                forward_listed(isa, threads, layer, active, values, z);
            }
        }
    }

    /// The activations of hidden layer `index`, using lists of what is kept, from its outputs (N, H).
    fn later_listed(&mut self, index: usize, z: &PanelBuf<F>) {
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

    /// Normalises the sums (N, H) of hidden layer `index`, if it has a normalisation; in training, batch
    /// normalisation updates its running statistics.
    fn normalise(&mut self, index: usize, z: &mut PanelBuf<F>, mode: Mode) {
        let Some([gamma, beta]) = &self.layers[index].gamma_beta else { return };
        let running = self.running.get_mut(index).map(|running| (running, mode));
        self.hidden[index].normalised.forward(z, &[&gamma.value, &beta.value], running);
    }

    /// Turns the sums of hidden layer `index`, which computes every unit, into activations.
    fn activate_dense(&mut self, index: usize) {
        let (activation, drops) = (self.config.activation, self.has_factors(index));
        self.hidden[index].dense.activate(self.isa, &self.threads, activation, drops);
    }

    /// The activations of hidden layer `index`.
    fn activations(&mut self, index: usize, mode: Mode) {
        if index == 0 && self.lists_first() && matches!(self.x, BatchInput::Dense(_)) {
            self.first_listed();
        } else if self.is_dense(index) {
            let mut h = std::mem::take(&mut self.hidden[index].dense.h);
            self.product(index, &mut h);
            self.normalise(index, &mut h, mode);
            self.hidden[index].dense.h = h;
            self.activate_dense(index);
        } else {
            let mut sums = std::mem::take(&mut self.hidden[index].sums);
            if self.drops_weights(index) {
                sums = self.masked_sums(index);
            } else {
                self.product(index, &mut sums);
            }
            self.later_listed(index, &sums);
            self.hidden[index].sums = sums;
        }
    }

    /// The class scores (N, C) of a pass with masks, as a matrix in panels; batch normalisation is as in `mode`.
    pub(super) fn forward(&mut self, mode: Mode) -> PanelBuf<F> {
        self.forward_after(0, mode)
    }

    /// The same in test mode, given the normalised sums (N, H) of hidden layer `index`.
    pub(super) fn forward_from(&mut self, index: usize, sums: &PanelBuf<F>) -> PanelBuf<F> {
        if self.is_dense(index) {
            self.hidden[index].dense.h.clone_from(sums);
            self.activate_dense(index);
        } else {
            self.later_listed(index, sums);
        }
        self.forward_after(index + 1, Mode::Test)
    }

    /// The scores from the outputs of the layers below layer `index`.
    fn forward_after(&mut self, index: usize, mode: Mode) -> PanelBuf<F> {
        let last = self.layers.len() - 1;
        for index in index..last {
            self.activations(index, mode);
        }
        let mut scores = PanelBuf::zeros(0, 0);
        self.product(last, &mut scores);
        scores
    }
}

/// How a hidden unit's sum becomes an activation.
#[derive(Clone, Copy)]
struct Unit<F> {
    activation: Activation,
    /// Inverted dropout's factor.
    scale: F,
}

/// The activations of some units.
#[derive(Default)]
struct Activated<F> {
    /// For each unit, the samples in which it is active.
    active: Lists,
    /// The activations, one per entry of `active`.
    values: Vec<F>,
    /// Their derivatives by the sums, if the activations alone do not show them.
    slopes: Vec<F>,
}

impl<F: Float> Unit<F> {
    /// Computes activations from the sums `z` of what some units keep. For a ReLU they are listed if they are
    /// positive, otherwise for everything that is kept.
    ///
    /// - `noise`: Gaussian dropout's factors, one per entry of `kept`, which then keeps everything
    fn activate(self, kept: ListsView<'_>, z: &[F], bias: &[F], noise: Option<&[F]>) -> Activated<F> {
        if let Some(noise) = noise {
            return self.activate_noisy(kept, z, bias, noise);
        }
        let (mut active, mut values, mut slopes) = (Lists::new(), Vec::new(), Vec::new());
        if self.activation != Activation::Relu {
            active.rebuild_from_subset(kept, |unit, entry| {
                let z = z[entry] + bias[unit];
                values.push(self.activation.value(z) * self.scale);
                if self.activation.is_ambiguous() {
                    slopes.push(self.activation.derivative(z) * self.scale);
                }
                true
            });
            return Activated { active, values, slopes };
        }
        relu_listed(kept, z, bias, self.scale, &mut active, &mut values);
        Activated { active, values, slopes }
    }

    /// The same with noise. The derivative is stored, because it cannot be derived from the product of activation and
    /// factor: that is 0 if the factor is 0, and has the other sign if the factor is negative.
    fn activate_noisy(self, kept: ListsView<'_>, z: &[F], bias: &[F], noise: &[F]) -> Activated<F> {
        let leaves_zeros_out = self.activation == Activation::Relu;
        let mut out = Activated::default();
        let Activated { active, values, slopes } = &mut out;
        active.rebuild_from_subset(kept, |unit, entry| {
            let (z, factor) = (z[entry] + bias[unit], noise[entry]);
            let a = self.activation.value(z);
            let stays = !leaves_zeros_out || a > F::zero();
            if stays {
                values.push(a * factor);
                slopes.push(self.activation.derivative(z) * factor);
            }
            stays
        });
        out
    }
}

impl<F: Float> Hidden<F> {
    /// Appends the results of each thread's units.
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
