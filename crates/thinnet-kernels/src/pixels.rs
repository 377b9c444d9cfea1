//! A batch of images: bytes become floats while they are packed into panels.

use crate::isa::once;
use crate::simd::{Element, Op, Simd};
use crate::{Isa, PanelsMut};

/// Fills the rows of `out`, `[chosen.len()][cols]`, with chosen rows of a row-major matrix of bytes, minus `mean`:
/// row `i` becomes `pixels[chosen[i]] - mean`, computed in 64-bit floats and then rounded.
///
/// # Panics
/// If `chosen` does not have one row of `pixels` for each row of `out`, or `mean` does not have `cols` elements.
pub fn pack_pixels<T: RunPackPixels>(
    isa: Isa,
    pixels: &[u8],
    mean: &[f64],
    chosen: &[usize],
    out: PanelsMut<'_, T>,
) {
    assert_eq!(mean.len(), out.cols(), "columns of the mean");
    assert_eq!(chosen.len(), out.rows(), "chosen rows");
    <T as RunPackPixels>::run(isa, PackPixels { pixels, mean, chosen, out });
}

pub struct PackPixels<'a, T> {
    pixels: &'a [u8],
    mean: &'a [f64],
    chosen: &'a [usize],
    out: PanelsMut<'a, T>,
}

once!(RunPackPixels, PackPixels);

impl<T: Element> Op<T> for PackPixels<'_, T> {
    /// Plain loops that the compiler vectorises: the features are enabled where this is inlined.
    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, _: S) {
        let Self { pixels, mean, chosen, mut out } = self;
        for (row, &choice) in chosen.iter().enumerate() {
            let source = &pixels[choice * mean.len()..][..mean.len()];
            let parts = source.chunks(T::PANEL).zip(mean.chunks(T::PANEL));
            for (panel, (source, mean)) in parts.enumerate() {
                let (filled, padding) = out.row_mut(panel, row).split_at_mut(source.len());
                for ((out, &pixel), &mean) in filled.iter_mut().zip(source).zip(mean) {
                    *out = T::from_f64(f64::from(pixel) - mean);
                }
                padding.fill(T::ZERO);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, clippy::float_cmp)] // small numbers; exactly the same rounding
mod tests {
    use super::*;
    use crate::PanelBuf;

    #[test]
    fn every_pixel_finds_its_place() {
        for isa in Isa::available() {
            for cols in [1, 31, 64, 65, 200] {
                let pixels: Vec<u8> = (0..5 * cols).map(|i| (i * 37 % 256) as u8).collect();
                let mean: Vec<f64> = (0..cols).map(|i| i as f64 / 3.0).collect();
                let chosen = [4, 0, 0, 2];
                let mut out = PanelBuf::<f32>::zeros(4, cols);
                pack_pixels(isa, &pixels, &mean, &chosen, out.view_mut());
                let rows = out.view().to_rows();
                for (row, choice) in chosen.iter().enumerate() {
                    for col in 0..cols {
                        let truth = (f64::from(pixels[choice * cols + col]) - mean[col]) as f32;
                        assert_eq!(rows[row * cols + col], truth);
                    }
                }
                assert!(
                    out.as_slice().iter().filter(|v| **v == 0.0).count() >= out.as_slice().len() - 4 * cols
                );
            }
        }
    }
}
