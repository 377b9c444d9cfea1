//! Sums of neighbouring rows, each times a number, for several rows of sums at a time, held in registers: the dense
//! products consist of these.

use crate::simd::{Element, Simd, load};
use crate::{Panels, PanelsMut};

/// Samples (N, D), in either layout.
#[derive(Clone, Copy, Debug)]
pub enum Samples<'a, T> {
    /// Row-major, with the number of columns.
    Rows(&'a [T], usize),
    /// In panels.
    Panels(Panels<'a, T>),
}

impl<T: Element> Samples<'_, T> {
    /// The number of samples and columns; incomplete rows do not count.
    pub fn dim(&self) -> (usize, usize) {
        match *self {
            Self::Rows(rows, cols) => (rows.len().checked_div(cols).unwrap_or(0), cols),
            Self::Panels(panels) => (panels.rows(), panels.cols()),
        }
    }

    /// Their position.
    pub(crate) fn place(self) -> Place<T> {
        match self {
            Self::Rows(rows, cols) => Place { first: rows.as_ptr(), sample: cols, panel: T::PANEL },
            Self::Panels(panels) => {
                let (first, panel) = panels.into_raw();
                Place { first, sample: T::PANEL, panel }
            }
        }
    }
}

/// The start of the samples, and the distance between samples and between runs of [`Element::PANEL`] columns.
#[derive(Clone, Copy)]
pub(crate) struct Place<T> {
    pub(crate) first: *const T,
    pub(crate) sample: usize,
    pub(crate) panel: usize,
}

/// Rows of sums that are held together: times four vectors they fill the registers of AVX-512, times two those of
/// AVX2, besides the vectors of a row and a number.
pub(crate) const TALL: usize = 6;

/// Calls `run` with a number of vectors, known to the compiler, and their start in a panel's row, until `cols`
/// columns are covered: at most four with 32 registers, otherwise two. Nothing is computed for vectors that are only
/// padding.
macro_rules! by_width {
    ($s:ty, $cols:expr, |$wide:ident, $at:ident| $run:expr) => {{
        let cols: usize = $cols;
        let mut $at = 0;
        while $at < cols {
            let wide = match (cols - $at).div_ceil(<$s>::LANES) {
                1 => {
                    const $wide: usize = 1;
                    $run;
                    $wide
                }
                3.. if <$s>::REGISTERS >= 32 => {
                    const $wide: usize = 4;
                    $run;
                    $wide
                }
                _ => {
                    const $wide: usize = 2;
                    $run;
                    $wide
                }
            };
            $at += wide * <$s>::LANES;
        }
    }};
}
pub(crate) use by_width;

/// How many columns of panel `panel` are not padding, in a matrix with this many columns.
pub(crate) fn width<T: Element>(w: &PanelsMut<'_, T>, panel: usize) -> usize {
    (w.cols() - panel * T::PANEL).min(T::PANEL)
}

/// `sums[n] += numbers[n][i] * w[i]` over `count` rows `i`, in order.
#[derive(Clone, Copy)]
pub(crate) struct Tile<T> {
    /// The first number; the distance to that of the next row of sums, and to the next number of the same row.
    pub(crate) numbers: *const T,
    pub(crate) across: usize,
    pub(crate) along: usize,
    /// The first row of `w`; the next is [`Element::PANEL`] elements further.
    pub(crate) w: *const T,
    pub(crate) count: usize,
}

/// How sums start and where they go.
pub(crate) trait Ends<S: Simd> {
    /// The sum so far for row `n` of the tile.
    ///
    /// # Safety
    /// The row exists, and so do `Q` vectors at its position.
    unsafe fn before<const Q: usize>(&self, s: S, n: usize) -> [S::V; Q];

    /// Receives the sums of row `n`.
    ///
    /// # Safety
    /// As for `before`.
    unsafe fn after<const Q: usize>(&self, s: S, n: usize, sums: [S::V; Q]);
}

impl<T: Element> Tile<T> {
    /// Computes `tall` rows of sums, at most [`TALL`] and at least one.
    ///
    /// # Safety
    /// The numbers and the rows of `w` exist, and what `ends` needs.
    #[inline(always)]
    pub(crate) unsafe fn run<S: Simd<Elem = T>, const Q: usize>(
        self,
        s: S,
        tall: usize,
        ends: &impl Ends<S>,
    ) {
        // SAFETY: guaranteed by the caller.
        unsafe {
            match tall {
                6 => self.sum::<S, Q, 6>(s, ends),
                5 => self.sum::<S, Q, 5>(s, ends),
                4 => self.sum::<S, Q, 4>(s, ends),
                3 => self.sum::<S, Q, 3>(s, ends),
                2 => self.sum::<S, Q, 2>(s, ends),
                _ => self.sum::<S, Q, 1>(s, ends),
            }
        }
    }

    /// # Safety
    /// As for `run`, for `N` rows.
    #[inline(always)]
    unsafe fn sum<S: Simd<Elem = T>, const Q: usize, const N: usize>(self, s: S, ends: &impl Ends<S>) {
        let mut sums = [[s.zero(); Q]; N];
        // SAFETY: guaranteed by the caller; neighbouring rows of `w` are PANEL elements apart.
        unsafe {
            for (n, sums) in sums.iter_mut().enumerate() {
                *sums = ends.before(s, n);
            }
            for i in 0..self.count {
                let w: [S::V; Q] = load(s, self.w.add(i * T::PANEL));
                let numbers = self.numbers.add(i * self.along);
                for (n, sums) in sums.iter_mut().enumerate() {
                    let number = s.splat(*numbers.add(n * self.across));
                    for (sum, w) in sums.iter_mut().zip(w) {
                        *sum = s.fma(number, w, *sum);
                    }
                }
            }
            for (n, sums) in sums.into_iter().enumerate() {
                ends.after(s, n, sums);
            }
        }
    }
}
