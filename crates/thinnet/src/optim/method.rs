//! What each optimiser's file defines: settings by name, the arrays for each parameter, its formula, and the formula
//! for the kernels.

use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD};
use thinnet_kernels::{PanelsMut, Update};

use crate::float::Float;
use crate::range::Range;

/// An optimiser's settings. It keeps `SLOTS` arrays for each parameter, all with the parameter's shape and zero at
/// first.
pub(super) trait Method<const SLOTS: usize> {
    /// The arrays' names in files.
    const SLOT_NAMES: &'static [&'static str; SLOTS];

    /// The settings by their fields' names, without the learning rate, which every optimiser has.
    fn settings(&mut self) -> Vec<(&'static str, Setting<'_>)>;

    /// Update `step` (from 1) of the parameter `w` with its gradient `dw`: the formula. All arrays have the same
    /// shape.
    fn update<F: Float>(
        &self,
        w: ArrayViewMutD<'_, F>,
        dw: &ArrayViewD<'_, F>,
        slots: &mut [ArrayD<F>; SLOTS],
        step: u64,
    );

    /// The same for the kernels, on the rows of the slots.
    fn kernel<'a, F: Float>(&self, slots: [PanelsMut<'a, F>; SLOTS], step: u32) -> Update<'a, F>;
}

/// A mutable setting.
pub(crate) enum Setting<'a> {
    /// A number in a range.
    Number(&'a mut f64, Range),
    /// On or off.
    Flag(&'a mut bool),
}

impl Setting<'_> {
    /// Sets a value, which may be out of range; for a flag, 0 means off.
    pub(crate) fn set(self, value: f64) {
        match self {
            Self::Number(number, _) => *number = value,
            Self::Flag(flag) => *flag = value != 0.0,
        }
    }
}
