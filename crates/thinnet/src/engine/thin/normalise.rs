//! Batch and layer normalisation of hidden layers that compute every unit: the formulas of
//! [`batch_norm_forward`](crate::layers::batch_norm_forward) and
//! [`layer_norm_forward`](crate::layers::layer_norm_forward), on panels.

use thinnet_kernels::PanelBuf;

use crate::float::Float;
use crate::layers::{BatchNorm, LayerNorm, Mode, Normalisation, RunningStatistics};

/// What the backward pass needs of the forward pass.
#[derive(Debug)]
pub(super) struct Normalised<F> {
    /// The normalised sums (N, H).
    x_hat: PanelBuf<F>,
    /// `1 / sqrt(variance + epsilon)`: of each unit (batch, padded), or of each sample (layer).
    inverse: Vec<F>,
}

impl<F: Float> Normalised<F> {
    pub(super) fn new() -> Self {
        Self { x_hat: PanelBuf::zeros(0, 0), inverse: Vec::new() }
    }

    /// Normalises `z` (N, H), with scale and shift (1, H each): unit by unit if there are running statistics, which
    /// training updates, otherwise sample by sample.
    pub(super) fn forward(
        &mut self,
        z: &mut PanelBuf<F>,
        gamma_beta: &[&PanelBuf<F>; 2],
        running: Option<(&mut RunningStatistics<F>, Mode)>,
    ) {
        let (samples, units) = (z.rows(), z.cols());
        let mut means = Vec::new();
        let by_unit = running.is_some();
        let epsilon = match running {
            Some((running, Mode::Train)) => {
                let (mean, variance) = batch_statistics(z);
                let momentum = F::from_f64(BatchNorm::default().momentum);
                let moved = |old: &mut F, &new: &F| *old = momentum * *old + (F::one() - momentum) * new;
                running.mean.iter_mut().zip(&mean).for_each(|(old, new)| moved(old, new));
                running.variance.iter_mut().zip(&variance).for_each(|(old, new)| moved(old, new));
                (means, self.inverse) = (mean, variance);
                BatchNorm::default().epsilon
            }
            Some((running, Mode::Test)) => {
                let padded = |array: &ndarray::Array1<F>| {
                    let mut array = array.to_vec();
                    array.resize(units.next_multiple_of(F::PANEL), F::zero());
                    array
                };
                (means, self.inverse) = (padded(&running.mean), padded(&running.variance));
                BatchNorm::default().epsilon
            }
            None => {
                self.inverse.clear();
                for sample in 0..samples {
                    let (mean, variance) = sample_statistics(z, sample);
                    means.push(mean);
                    self.inverse.push(variance);
                }
                LayerNorm::default().epsilon
            }
        };
        let epsilon = F::from_f64(epsilon);
        self.inverse.iter_mut().for_each(|v| *v = (*v + epsilon).sqrt().recip());
        self.x_hat.fit(samples, units);
        let (mut z, mut x_hat) = (z.view_mut(), self.x_hat.view_mut());
        for panel in 0..z.panels() {
            let first = panel * F::PANEL;
            let width = (units - first).min(F::PANEL);
            let [gamma, beta] = gamma_beta.map(|array| &array.as_slice()[first..first + width]);
            for row in 0..samples {
                let z = &mut z.row_mut(panel, row)[..width];
                let x_hat = &mut x_hat.row_mut(panel, row)[..width];
                if by_unit {
                    let (mean, inverse) = (&means[first..first + width], &self.inverse[first..first + width]);
                    for at in 0..width {
                        x_hat[at] = (z[at] - mean[at]) * inverse[at];
                        z[at] = x_hat[at] * gamma[at] + beta[at];
                    }
                } else {
                    let (mean, inverse) = (means[row], self.inverse[row]);
                    for at in 0..width {
                        x_hat[at] = (z[at] - mean) * inverse;
                        z[at] = x_hat[at] * gamma[at] + beta[at];
                    }
                }
            }
        }
    }

    /// Replaces the derivatives by the output, in `delta` (N, H), by those by the sums; returns those by scale and
    /// shift (1, H each).
    pub(super) fn backward(
        &mut self,
        kind: Normalisation,
        gamma: &PanelBuf<F>,
        delta: &mut PanelBuf<F>,
    ) -> [PanelBuf<F>; 2] {
        let (samples, units) = (delta.rows(), delta.cols());
        let d_beta = column_sums(delta);
        let mut d_gamma = PanelBuf::zeros(1, units);
        let x_hat = self.x_hat.view();
        let (mut sums, mut rest) = (d_gamma.view_mut(), delta.view_mut());
        for panel in 0..rest.panels() {
            let sums = sums.row_mut(panel, 0);
            for row in 0..samples {
                let both = rest.as_view().row(panel, row).iter().zip(x_hat.row(panel, row));
                sums.iter_mut().zip(both).for_each(|(sum, (&d, &x))| *sum += d * x);
            }
        }
        let (gamma, d_gamma_sums, d_beta_sums) = (gamma.as_slice(), d_gamma.as_slice(), d_beta.as_slice());
        let count = F::from_f64(if kind == Normalisation::Batch { samples } else { units } as f64);
        for row in 0..samples {
            let (mut mean, mut projection) = (F::zero(), F::zero());
            if kind == Normalisation::Layer {
                for panel in 0..rest.panels() {
                    let gamma = &gamma[panel * F::PANEL..];
                    let both = rest.as_view().row(panel, row).iter().zip(x_hat.row(panel, row));
                    for ((&d, &x), &gamma) in both.zip(gamma) {
                        mean += d * gamma;
                        projection += d * gamma * x;
                    }
                }
                (mean, projection) = (mean / count, projection / count);
            }
            for panel in 0..rest.panels() {
                let first = panel * F::PANEL;
                let width = (units - first).min(F::PANEL);
                let (delta, x_hat) = (&mut rest.row_mut(panel, row)[..width], x_hat.row(panel, row));
                for (at, (d, &x)) in delta.iter_mut().zip(x_hat).enumerate() {
                    let unit = first + at;
                    *d = if kind == Normalisation::Batch {
                        let scale = gamma[unit] * self.inverse[unit] / count;
                        (*d * count - d_beta_sums[unit] - x * d_gamma_sums[unit]) * scale
                    } else {
                        (*d * gamma[unit] - mean - x * projection) * self.inverse[row]
                    };
                }
            }
        }
        [d_gamma, d_beta]
    }
}

/// The mean and the (biased) variance of each column of `z` (N, H), padded with zeros.
fn batch_statistics<F: Float>(z: &PanelBuf<F>) -> (Vec<F>, Vec<F>) {
    let count = F::from_f64(z.rows() as f64);
    let mut mean = column_sums(z).as_slice().to_vec();
    for mean in &mut mean {
        *mean /= count;
    }
    let mut variance = vec![F::zero(); mean.len()];
    let z = z.view();
    for panel in 0..z.panels() {
        let own = panel * F::PANEL..(panel + 1) * F::PANEL;
        let (mean, variance) = (&mean[own.clone()], &mut variance[own]);
        for row in 0..z.rows() {
            for ((variance, &z), &mean) in variance.iter_mut().zip(z.row(panel, row)).zip(mean) {
                *variance += (z - mean) * (z - mean);
            }
        }
    }
    for variance in &mut variance {
        *variance /= count;
    }
    (mean, variance)
}

/// The mean and the (biased) variance of a row of `z` (N, H).
fn sample_statistics<F: Float>(z: &PanelBuf<F>, row: usize) -> (F, F) {
    let (count, units) = (F::from_f64(z.cols() as f64), z.cols());
    let z = z.view();
    let numbers = || (0..units).map(|unit| z.row(unit / F::PANEL, row)[unit % F::PANEL]);
    let mean = numbers().sum::<F>() / count;
    let variance = numbers().map(|z| (z - mean) * (z - mean)).sum::<F>() / count;
    (mean, variance)
}

/// The sum of each column (1, H).
pub(super) fn column_sums<F: Float>(panels: &PanelBuf<F>) -> PanelBuf<F> {
    let mut sums = PanelBuf::zeros(1, panels.cols());
    let (panels, mut to) = (panels.view(), sums.view_mut());
    for panel in 0..panels.panels() {
        let to = to.row_mut(panel, 0);
        for row in 0..panels.rows() {
            to.iter_mut().zip(panels.row(panel, row)).for_each(|(sum, &value)| *sum += value);
        }
    }
    sums
}
