//! Hidden layers that compute every unit and multiply dropped ones by zero. For small layers this is faster than
//! lists of kept units.

use thinnet_kernels::{Isa, PanelBuf, Samples, dense_axpy, dense_dot, multiply, relu_forward, set_factors};

use crate::engine::masks::LayerDraw;
use crate::engine::store::Layer;
use crate::engine::threads::Threads;
use crate::float::Float;
use crate::layers::{Activation, GaussianFactor};
use crate::random::{CounterMasks, RandomState};

/// What a step stores for such a layer.
#[derive(Debug)]
pub(super) struct Dense<F> {
    /// The activations (N, H), times their factors.
    pub(super) h: PanelBuf<F>,
    /// Dropout's factors on the activations (N, H); later the derivatives of `h` by the sums.
    slopes: PanelBuf<F>,
    /// The derivatives of the loss by `h` (N, H), in panels or row-major, as the product gives them.
    d_panels: PanelBuf<F>,
    d_rows: Vec<F>,
}

impl<F: Float> Dense<F> {
    pub(super) fn new() -> Self {
        let none = || PanelBuf::zeros(0, 0);
        Self { h: none(), slopes: none(), d_panels: none(), d_rows: Vec::new() }
    }

    /// Draws the factors of a layer from NumPy's stream, one number per unit, in row-major order.
    pub(super) fn draw_numpy(&mut self, of: LayerDraw, gaussian: bool, random: &mut RandomState) {
        let LayerDraw { samples, units, dropout, .. } = of;
        let keep = dropout.keep_prob();
        if let Some(seed) = dropout.seed() {
            random.seed(seed);
        }
        if keep >= 1.0 && !gaussian {
            random.skip_words(2 * samples * units); // all are kept, but the stream advances nevertheless
            return;
        }
        let (scale, factor) = (F::from_f64(1.0 / keep), GaussianFactor::new(dropout));
        self.slopes.fit(samples, units);
        let mut slopes = self.slopes.view_mut();
        let (mut room, mut row) = (vec![0; 2 * units], vec![F::zero(); units]);
        for sample in 0..samples {
            if gaussian {
                row.fill_with(|| factor.of(random.standard_normal()));
            } else {
                let kept = random.below(keep, &mut room);
                row.iter_mut().zip(kept).for_each(|(f, kept)| *f = if kept { scale } else { F::zero() });
            }
            slopes.pack_row(sample, &row);
        }
    }

    /// Draws the same from a counter-based stream; each thread draws an equal share of the samples.
    pub(super) fn draw_counter(
        &mut self,
        of: LayerDraw,
        gaussian: bool,
        seed: u64,
        isa: Isa,
        threads: &Threads,
    ) {
        let LayerDraw { samples, units, dropout, draw, .. } = of;
        let keep = dropout.keep_prob();
        if keep >= 1.0 && !gaussian {
            return;
        }
        let (scale, factor) = (F::from_f64(1.0 / keep), GaussianFactor::new(dropout));
        let masks = CounterMasks::new(seed).layer(draw.step, of.number(), units, keep);
        let normals = CounterMasks::new(seed).normals(draw.step, of.number(), units);
        self.slopes.fit(samples, units);
        let mut rest = self.slopes.view_mut();
        let tasks = threads.split(samples).into_iter().map(|rows| (rest.take_first(rows.len()), rows));
        threads.each(tasks.collect(), |(mut slopes, rows)| {
            let (mut bytes, mut row) = (vec![0; 4 * units], vec![F::zero(); units]);
            for (own, sample) in rows.enumerate() {
                if gaussian {
                    let drawn = normals.sample(draw.first + sample);
                    row.iter_mut().zip(drawn).for_each(|(f, z)| *f = factor.of(z));
                } else {
                    masks.fill(draw.first + sample, &mut bytes);
                    set_factors(isa, &bytes, masks.threshold(), scale, &mut row);
                }
                slopes.pack_row(own, &row);
            }
        });
    }

    /// Turns the sums in `h` into activations; `drops` says whether there are factors for them.
    pub(super) fn activate(&mut self, isa: Isa, threads: &Threads, activation: Activation, drops: bool) {
        let (samples, units) = (self.h.rows(), self.h.cols());
        self.slopes.fit(samples, units);
        let (mut h, mut slopes) = (self.h.view_mut(), self.slopes.view_mut());
        let tasks = threads
            .split(samples)
            .into_iter()
            .map(|rows| (h.take_first(rows.len()), slopes.take_first(rows.len())));
        threads.each(tasks.collect(), |(mut h, mut slopes)| {
            if activation == Activation::Relu {
                return relu_forward(isa, h, slopes, drops);
            }
            for panel in 0..h.panels() {
                let width = (units - panel * F::PANEL).min(F::PANEL);
                for row in 0..h.rows() {
                    let h = &mut h.row_mut(panel, row)[..width];
                    for (h, slope) in h.iter_mut().zip(slopes.row_mut(panel, row)) {
                        let (z, factor) = (*h, if drops { *slope } else { F::one() });
                        let a = activation.value(z);
                        let derivative = activation.derivative_from_value(a);
                        let derivative = derivative.unwrap_or_else(|| activation.derivative(z));
                        (*h, *slope) = (a * factor, derivative * factor);
                    }
                }
            }
        });
    }

    /// Writes the derivatives by the sums into `own`, given those of the layer above, `delta` (N, C), and its weights
    /// before their update.
    pub(super) fn hand_down(
        &mut self,
        isa: Isa,
        threads: &Threads,
        above: &Layer<F>,
        delta: &PanelBuf<F>,
        own: &mut PanelBuf<F>,
    ) {
        let (samples, units, outputs) = (self.h.rows(), self.h.cols(), delta.cols());
        own.fit(samples, units);
        let ranges = threads.split(samples);
        let slopes = self.slopes.view();
        let mut own = own.view_mut();
        if outputs <= FEW {
            let (w, zeros) = (turned(&above.w.value), PanelBuf::zeros(1, units));
            self.d_panels.fit(samples, units);
            let mut d = self.d_panels.view_mut();
            let tasks =
                ranges.into_iter().map(|rows| (d.take_first(rows.len()), own.take_first(rows.len()), rows));
            threads.each(tasks.collect(), |(mut d, own, rows)| {
                let delta = Samples::Panels(delta.view().slice(rows.clone()));
                dense_axpy(isa, delta, w.view(), zeros.view(), d.reborrow());
                multiply(isa, Samples::Panels(d.as_view()), slopes.slice(rows), own);
            });
            return;
        }
        self.d_rows.resize(samples * units, F::zero());
        let mut rest = self.d_rows.as_mut_slice();
        let tasks = ranges.into_iter().map(|rows| {
            let d = rest.split_off_mut(..rows.len() * units).unwrap_or_default();
            (d, own.take_first(rows.len()), rows)
        });
        threads.each(tasks.collect(), |(d, own, rows)| {
            dense_dot(isa, delta.view().slice(rows.clone()), above.w.value.view(), d);
            multiply(isa, Samples::Rows(d, units), slopes.slice(rows), own);
        });
    }
}

/// Up to this many outputs, a derivative by an input is computed as a sum over transposed weights: a dot product
/// would have few lanes, and adding them up would cost more.
const FEW: usize = 16;

/// The transpose of a matrix.
fn turned<F: Float>(panels: &PanelBuf<F>) -> PanelBuf<F> {
    let (rows, cols) = (panels.rows(), panels.cols());
    let mut turned = PanelBuf::zeros(cols, rows);
    let mut to = turned.view_mut();
    for row in 0..rows {
        for col in 0..cols {
            to.row_mut(row / F::PANEL, col)[row % F::PANEL] =
                panels.view().row(col / F::PANEL, row)[col % F::PANEL];
        }
    }
    turned
}
