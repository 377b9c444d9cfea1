//! Checks whether all numbers are finite.

use crate::Isa;
use crate::isa::once;
use crate::simd::{Element, Op, Simd};

/// Whether no value is NaN or infinite. It is as fast as memory.
pub fn all_finite<T: RunFinite>(isa: Isa, values: &[T]) -> bool {
    let mut finite = true;
    <T as RunFinite>::run(isa, Finite { values, finite: &mut finite });
    finite
}

pub struct Finite<'a, T> {
    values: &'a [T],
    finite: &'a mut bool,
}

once!(RunFinite, Finite);

impl<T: Element> Op<T> for Finite<'_, T> {
    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, s: S) {
        // Zero times a finite number is zero; times any other it is NaN, which no addition removes.
        const CHAINS: usize = 4;
        let (zero, mut sums) = (s.zero(), [s.zero(); CHAINS]);
        let mut chunks = self.values.chunks_exact(CHAINS * S::LANES);
        for chunk in &mut chunks {
            for (chain, sum) in sums.iter_mut().enumerate() {
                // SAFETY: a chunk has as many vectors as there are chains.
                *sum = s.fma(zero, unsafe { s.load(chunk.as_ptr().add(chain * S::LANES)) }, *sum);
            }
        }
        let mut four = [T::ZERO; 4];
        // SAFETY: there are four elements.
        unsafe { s.add_sums(four.as_mut_ptr(), s.fold(None, 0, sums), 4) };
        let rest = chunks.remainder().iter().map(|&x| T::ZERO * x);
        *self.finite = four.into_iter().chain(rest).all(|sum| sum == T::ZERO);
    }
}
