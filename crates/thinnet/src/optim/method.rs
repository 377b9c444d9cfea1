//! What an optimiser's file gives: settings by name, the arrays that it keeps of a parameter, its formula, and that formula
//! for the kernels.

use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD};
use thinnet_kernels::{PanelsMut, Update};

use crate::float::Float;
use crate::range::Range;

/// An optimiser's settings, for which it keeps `SLOTS` arrays of each parameter, all of the parameter's shape and zero at
/// first.
pub(super) trait Method<const SLOTS: usize> {
    /// The arrays' names, as files have them.
    const SLOT_NAMES: &'static [&'static str; SLOTS];

    /// The settings by their fields' names, but for the learning rate, which all have.
    fn settings(&mut self) -> Vec<(&'static str, Setting<'_>)>;

    /// Update `step` (from 1) of the parameter `w` by its gradient `dw`: the formula. All arrays are of one shape.
    fn update<F: Float>(
        &self,
        w: ArrayViewMutD<'_, F>,
        dw: &ArrayViewD<'_, F>,
        slots: &mut [ArrayD<F>; SLOTS],
        step: u64,
    );

    /// The same for the kernels, over the rows of the slots.
    fn kernel<'a, F: Float>(&self, slots: [PanelsMut<'a, F>; SLOTS], step: u32) -> Update<'a, F>;
}

/// The place of a setting.
pub(crate) enum Setting<'a> {
    /// A number in a range.
    Number(&'a mut f64, Range),
    /// On or off.
    Flag(&'a mut bool),
}

impl Setting<'_> {
    /// Puts a value there, which may be out of range; a flag is off at 0.
    pub(crate) fn set(self, value: f64) {
        match self {
            Self::Number(number, _) => *number = value,
            Self::Flag(flag) => *flag = value != 0.0,
        }
    }
}
