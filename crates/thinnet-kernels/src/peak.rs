//! The machine's peak rate, for comparison with measured kernels.

use crate::isa::once;
use crate::simd::{Element, Op, Simd, load, store};
use crate::{Isa, PanelBuf};

/// Does `rounds` times 12 independent multiply-adds of vectors in registers, and returns the number of floating-point
/// operations (two per lane). For benchmarks: divided by the time, it is the peak rate.
///
/// ```
/// use thinnet_kernels::{Isa, multiply_adds};
///
/// assert_eq!(multiply_adds::<f32>(Isa::PORTABLE, 10), 10 * 12 * 4 * 2);
/// ```
pub fn multiply_adds<T: RunMultiplyAdds>(isa: Isa, rounds: usize) -> usize {
    let mut lanes = 0;
    <T as RunMultiplyAdds>::run(
        isa,
        MultiplyAdds::<T> { rounds, lanes: &mut lanes, room: PanelBuf::zeros(12, T::PANEL) },
    );
    rounds * SUMS * lanes * 2
}

const SUMS: usize = 12;

pub struct MultiplyAdds<'a, T> {
    rounds: usize,
    lanes: &'a mut usize,
    room: PanelBuf<T>,
}

once!(RunMultiplyAdds, MultiplyAdds);

impl<T: Element> Op<T> for MultiplyAdds<'_, T> {
    #[inline(always)]
    fn run<S: Simd<Elem = T>>(mut self, s: S) {
        let room = self.room.view_mut();
        // SAFETY: the memory is 12 panel rows of at least one vector each.
        unsafe {
            let mut sums = load::<S, SUMS>(s, room.ptr(0, 0));
            let (a, b) = (s.splat(std::hint::black_box(T::ONE)), s.splat(std::hint::black_box(T::ZERO)));
            for _ in 0..self.rounds {
                for sum in &mut sums {
                    *sum = s.fma(*sum, a, b);
                }
            }
            store(s, room.ptr(0, 0), sums);
            std::hint::black_box(room.as_view().row(0, 0));
        }
        *self.lanes = S::LANES;
    }
}
