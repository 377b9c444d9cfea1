//! The layout of every matrix that a kernel reads or writes.
//!
//! A matrix of `rows` by `cols` is cut into panels of [`Element::PANEL`] columns, and each panel is contiguous, row
//! after row: `[ceil(cols / PANEL)][rows][PANEL]`. The last panel is padded with zero columns. A panel of 100 samples
//! stays in the first-level cache while all weights that it is multiplied with are read once and in order. Since
//! dropout drops rows, not columns, any set of rows can be left out at no cost.

use std::marker::PhantomData;
use std::ops::Range;

use crate::simd::{Element, PANEL_BYTES, prefetch};

/// An owned matrix in panels, aligned to cache lines; all zero at first.
///
/// ```
/// use thinnet_kernels::PanelBuf;
///
/// let x = PanelBuf::<f32>::from_rows(2, 3, &[1., 2., 3., 4., 5., 6.]);
/// assert_eq!(x.view().to_rows(), [1., 2., 3., 4., 5., 6.]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct PanelBuf<T> {
    /// One entry per row of a panel.
    data: Vec<Line>,
    rows: usize,
    cols: usize,
    element: PhantomData<T>,
}

/// Memory of one row of one panel; aligned so that no vector crosses a cache line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([u8; PANEL_BYTES]);

/// The number of panels in a matrix with this many columns.
fn panels<T: Element>(cols: usize) -> usize {
    cols.div_ceil(T::PANEL)
}

impl<T: Element> PanelBuf<T> {
    /// A matrix of zeros, `rows` by `cols`.
    pub fn zeros(rows: usize, cols: usize) -> Self {
        let data = vec![Line([0; PANEL_BYTES]); panels::<T>(cols) * rows];
        Self { data, rows, cols, element: PhantomData }
    }

    /// Packs a row-major matrix, `rows` by `cols`.
    ///
    /// # Panics
    /// If `source` does not have `rows * cols` elements.
    pub fn from_rows(rows: usize, cols: usize, source: &[T]) -> Self {
        let mut packed = Self::zeros(rows, cols);
        packed.view_mut().pack(source);
        packed
    }

    /// Becomes a matrix of zeros, `rows` by `cols`, reusing its memory.
    pub fn reset(&mut self, rows: usize, cols: usize) {
        self.data.clear();
        self.data.resize(panels::<T>(cols) * rows, Line([0; PANEL_BYTES]));
        (self.rows, self.cols) = (rows, cols);
    }

    /// Becomes a matrix of `rows` by `cols`: unchanged if it has that shape, otherwise zeros.
    pub fn fit(&mut self, rows: usize, cols: usize) {
        if (self.rows, self.cols) != (rows, cols) {
            self.reset(rows, cols);
        }
    }

    /// Rows of the matrix.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns of the matrix, without padding.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// All rows, for reading.
    pub fn view(&self) -> Panels<'_, T> {
        Panels {
            data: self.data.as_ptr().cast(),
            stride: self.rows,
            first: 0,
            rows: self.rows,
            cols: self.cols,
            borrow: PhantomData,
        }
    }

    /// All rows, for writing.
    pub fn view_mut(&mut self) -> PanelsMut<'_, T> {
        PanelsMut {
            data: self.data.as_mut_ptr().cast(),
            stride: self.rows,
            first: 0,
            rows: self.rows,
            cols: self.cols,
            borrow: PhantomData,
        }
    }

    /// Everything stored, including padding, in storage order: for element-wise arithmetic, sums of squares and
    /// checks.
    pub fn as_slice(&self) -> &[T] {
        // SAFETY: `data` holds `rows * panels` lines of PANEL elements each; any bits are an `f32` or `f64`, and a
        // line's alignment is more than theirs.
        unsafe { std::slice::from_raw_parts(self.data.as_ptr().cast(), self.data.len() * T::PANEL) }
    }
}

/// Some neighbouring rows of a matrix in panels, for reading.
#[derive(Clone, Copy, Debug)]
pub struct Panels<'a, T> {
    /// The whole matrix: `panels * stride * PANEL` elements, aligned to 64 bytes.
    data: *const T,
    /// Rows of the whole matrix.
    stride: usize,
    /// First of the rows in view; `first + rows <= stride`.
    first: usize,
    rows: usize,
    cols: usize,
    borrow: PhantomData<&'a [T]>,
}

// SAFETY: it is equivalent to a shared borrow of a slice.
unsafe impl<T: Sync> Send for Panels<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Panels<'_, T> {}

impl<'a, T: Element> Panels<'a, T> {
    /// Rows in view.
    pub fn rows(self) -> usize {
        self.rows
    }

    /// Columns, without padding.
    pub fn cols(self) -> usize {
        self.cols
    }

    /// Panels, including the padded last one.
    pub fn panels(self) -> usize {
        panels::<T>(self.cols)
    }

    /// A range of the rows in view.
    ///
    /// # Panics
    /// If the range is not within the rows.
    #[must_use]
    pub fn slice(self, rows: Range<usize>) -> Self {
        assert!(rows.start <= rows.end && rows.end <= self.rows, "rows {rows:?} of {}", self.rows);
        Self { first: self.first + rows.start, rows: rows.len(), ..self }
    }

    /// Row `row` of panel `panel`: [`Element::PANEL`] elements.
    ///
    /// # Panics
    /// If there is no such row or panel.
    pub fn row(self, panel: usize, row: usize) -> &'a [T] {
        assert!(panel < self.panels() && row < self.rows, "row {row} of panel {panel}");
        // SAFETY: checked on the line above; the matrix is borrowed for 'a.
        unsafe { std::slice::from_raw_parts(self.ptr(panel, row), T::PANEL) }
    }

    /// Where row `row` of panel `panel` starts.
    ///
    /// # Safety
    /// There is such a row and panel, or `row` is the number of rows.
    #[inline(always)]
    pub(crate) unsafe fn ptr(self, panel: usize, row: usize) -> *const T {
        debug_assert!(panel < self.panels() && row <= self.rows);
        // SAFETY: `first + row <= stride`, so this is within the matrix or just past it.
        unsafe { self.data.add((panel * self.stride + self.first + row) * T::PANEL) }
    }

    /// Where the first row starts, and how many elements are between a row's positions in one panel and the next.
    pub(crate) fn into_raw(self) -> (*const T, usize) {
        // SAFETY: `first <= stride`; a matrix without panels holds nothing, and is given no offset.
        let first =
            if self.panels() == 0 { self.data } else { unsafe { self.data.add(self.first * T::PANEL) } };
        (first, self.stride * T::PANEL)
    }

    /// The rows in view as a row-major matrix, `rows` by `cols`.
    pub fn to_rows(self) -> Vec<T> {
        let mut out = vec![T::ZERO; self.rows * self.cols];
        self.write_rows(&mut out);
        out
    }

    /// Writes the rows in view as a row-major matrix, `rows` by `cols`.
    ///
    /// # Panics
    /// If `out` does not have `rows * cols` elements.
    pub fn write_rows(self, out: &mut [T]) {
        assert_eq!(out.len(), self.rows * self.cols, "elements of the matrix");
        for (r, out) in out.chunks_exact_mut(self.cols.max(1)).enumerate() {
            for (p, out) in out.chunks_mut(T::PANEL).enumerate() {
                out.copy_from_slice(&self.row(p, r)[..out.len()]);
            }
        }
    }
}

/// Some neighbouring rows of a matrix in panels, for writing: no two that exist at once share a row, so each thread
/// can have its own.
#[derive(Debug)]
pub struct PanelsMut<'a, T> {
    /// As in [`Panels`].
    data: *mut T,
    stride: usize,
    first: usize,
    rows: usize,
    cols: usize,
    borrow: PhantomData<&'a mut [T]>,
}

// SAFETY: it is an exclusive borrow of elements that no other view can reach.
unsafe impl<T: Send> Send for PanelsMut<'_, T> {}
// SAFETY: a shared `PanelsMut` can only be read.
unsafe impl<T: Sync> Sync for PanelsMut<'_, T> {}

impl<T: Element> PanelsMut<'_, T> {
    /// Rows in view.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns, without padding.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Panels, including the padded last one.
    pub fn panels(&self) -> usize {
        panels::<T>(self.cols)
    }

    /// The same rows, for reading.
    pub fn as_view(&self) -> Panels<'_, T> {
        let Self { data, stride, first, rows, cols, .. } = *self;
        Panels { data, stride, first, rows, cols, borrow: PhantomData }
    }

    /// The same rows, for a shorter time.
    pub fn reborrow(&mut self) -> PanelsMut<'_, T> {
        let Self { data, stride, first, rows, cols, .. } = *self;
        PanelsMut { data, stride, first, rows, cols, borrow: PhantomData }
    }

    /// Splits the view into the first `at` rows and the others.
    ///
    /// # Panics
    /// If there are fewer than `at` rows.
    pub fn split_at(self, at: usize) -> (Self, Self) {
        let Self { data, stride, first, rows, cols, borrow } = self;
        assert!(at <= rows, "{at} of {rows} rows");
        (
            Self { data, stride, first, rows: at, cols, borrow },
            Self { data, stride, first: first + at, rows: rows - at, cols, borrow },
        )
    }

    /// Removes the first `rows` rows from the view and returns them: one thread's part.
    ///
    /// # Panics
    /// If there are fewer rows.
    #[must_use]
    pub fn take_first(&mut self, rows: usize) -> Self {
        assert!(rows <= self.rows, "{rows} of {} rows", self.rows);
        let taken = Self { data: self.data, rows, ..*self };
        self.first += rows;
        self.rows -= rows;
        taken
    }

    /// Row `row` of panel `panel`: [`Element::PANEL`] elements. Elements past the last column must stay zero.
    ///
    /// # Panics
    /// If there is no such row or panel.
    pub fn row_mut(&mut self, panel: usize, row: usize) -> &mut [T] {
        assert!(panel < self.panels() && row < self.rows, "row {row} of panel {panel}");
        // SAFETY: checked on the line above; the row is this view's own, which is borrowed for as long.
        unsafe { std::slice::from_raw_parts_mut(self.ptr(panel, row), T::PANEL) }
    }

    /// Where row `row` of panel `panel` starts.
    ///
    /// # Safety
    /// There is such a row and panel, or `row` is the number of rows.
    #[inline(always)]
    pub(crate) unsafe fn ptr(&self, panel: usize, row: usize) -> *mut T {
        debug_assert!(panel < self.panels() && row <= self.rows);
        // SAFETY: `first + row <= stride`, so this is within the matrix or just past it.
        unsafe { self.data.add((panel * self.stride + self.first + row) * T::PANEL) }
    }

    /// Where the first row starts, and how many elements are between a row's positions in one panel and the next.
    pub(crate) fn into_raw(self) -> (*mut T, usize) {
        let (first, panel) = self.as_view().into_raw();
        (first.cast_mut(), panel)
    }

    /// Whether another view has the same shape and position in its matrix, so that offsets are valid in both.
    pub(crate) fn is_like(&self, other: &PanelsMut<'_, T>) -> bool {
        (self.stride, self.first, self.rows, self.cols) == (other.stride, other.first, other.rows, other.cols)
    }

    /// Fills the rows from a row-major matrix, `rows` by `cols`.
    ///
    /// # Panics
    /// If `source` does not have `rows * cols` elements.
    pub fn pack(&mut self, source: &[T]) {
        assert_eq!(source.len(), self.rows * self.cols, "elements of {} rows by {}", self.rows, self.cols);
        if self.cols > 0 {
            for (r, row) in source.chunks_exact(self.cols).enumerate() {
                self.pack_row(r, row);
            }
        }
    }

    /// Fills the rows with chosen rows of a row-major matrix of `cols` columns: row `i` becomes `source` row
    /// `chosen[i]`. A batch is gathered like this, without an intermediate copy.
    ///
    /// # Panics
    /// If `chosen` does not have one row of `source` for each row.
    pub fn pack_chosen(&mut self, source: &[T], chosen: &[usize]) {
        assert_eq!(chosen.len(), self.rows, "chosen rows");
        let row = |choice: usize| &source[choice * self.cols..][..self.cols];
        let rows: Vec<&[T]> = chosen.iter().map(|&choice| row(choice)).collect();
        for (r, row) in rows.iter().enumerate() {
            // Chosen rows may be anywhere: the next one is prefetched while this one is copied.
            let next = rows.get(r + 1).unwrap_or(row);
            for (p, (part, next)) in row.chunks(T::PANEL).zip(next.chunks(T::PANEL)).enumerate() {
                prefetch(next.as_ptr());
                self.pack_part(p, r, part);
            }
        }
    }

    /// Fills row `row` from `source`.
    ///
    /// # Panics
    /// If there is no such row, or `source` does not have `cols` elements.
    pub fn pack_row(&mut self, row: usize, source: &[T]) {
        assert_eq!(source.len(), self.cols, "columns");
        for (p, part) in source.chunks(T::PANEL).enumerate() {
            self.pack_part(p, row, part);
        }
    }

    /// Fills row `row` of panel `panel`; in the last panel, `part` may be narrower.
    fn pack_part(&mut self, panel: usize, row: usize, part: &[T]) {
        let (filled, padding) = self.row_mut(panel, row).split_at_mut(part.len());
        filled.copy_from_slice(part);
        padding.fill(T::ZERO);
    }

    /// Sets all rows to zero.
    pub fn clear(&mut self) {
        for p in 0..self.panels() {
            // SAFETY: the rows in view are contiguous in each panel, and belong only to this view.
            let rows = unsafe { std::slice::from_raw_parts_mut(self.ptr(p, 0), self.rows * T::PANEL) };
            rows.fill(T::ZERO);
        }
    }

    /// Adds `values` to the listed positions, one list per output column: `self[index][row of the list] += value`,
    /// where row `r` of `lists` is column `first_col + r` here.
    ///
    /// # Panics
    /// If the lists' indices go past the rows, their rows past the columns, or there is not one value for each entry.
    pub fn scatter(&mut self, lists: crate::ListsView<'_>, first_col: usize, values: &[T]) {
        assert!(lists.cols() <= self.rows && first_col + lists.rows() <= self.cols, "lists do not fit");
        assert_eq!(values.len(), lists.len(), "values");
        for r in 0..lists.rows() {
            let (p, lane) = ((first_col + r) / T::PANEL, (first_col + r) % T::PANEL);
            for (&i, &v) in lists.row(r).iter().zip(&values[lists.row_entries(r)]) {
                // SAFETY: `i < lists.cols() <= rows` by the lists' invariant, and `p` is the panel of a column.
                unsafe { *self.ptr(p, i as usize).add(lane) += v };
            }
        }
    }
}
