//! Which samples each unit keeps (or which units each sample keeps): the only form in which kernels see dropout.

use std::ops::Range;

use crate::simd::{Element, PANEL_BYTES};

/// For each of `rows` rows, an ascending list of indices below `cols`, one row after another (compressed sparse rows).
///
/// The indices are divided into blocks of [`Lists::block`] neighbours, and each row's list has marks where it enters
/// the next block: a kernel processes all rows for one block, whose data stays in the first-level cache, before the
/// next block. Blocks change the speed, but no result.
///
/// That indices are ascending and below `cols` is checked when lists are created; kernels rely on it.
///
/// ```
/// use thinnet_kernels::Lists;
///
/// let kept = Lists::from_fn(2, 5, 4, |unit, sample| (unit + sample) % 2 == 0);
/// assert_eq!(kept.view().row(0), [0, 2, 4]);
/// assert_eq!(kept.view().row(1), [1, 3]);
/// let (by_sample, _) = kept.transpose(4);
/// assert_eq!(by_sample.view().row(2), [0]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lists {
    rows: usize,
    cols: usize,
    block: usize,
    /// `rows * blocks + 1` positions in `index`: where each row's part in each block starts. Ascending, from 0 to
    /// `index.len()`.
    starts: Vec<u32>,
    /// All lists; each index is below `cols` (if there are no columns, there are no entries).
    index: Vec<u32>,
}

/// How many neighbouring rows of a matrix in panels a kernel should process at a time: an even division of `count`
/// that keeps a block's panel near 24 KiB, for a first-level cache of 32 or 48.
pub fn block_size(count: usize) -> usize {
    const ROWS: usize = (26 << 10) / PANEL_BYTES;
    count.div_ceil(count.div_ceil(ROWS).max(1)).max(1)
}

impl Lists {
    /// Empty lists without rows, to be filled by one of the `rebuild` functions.
    pub fn new() -> Self {
        Self { rows: 0, cols: 0, block: 1, starts: vec![0], index: Vec::new() }
    }

    /// Lists of the indices for which `keep(row, index)` is true; it is called row by row in ascending order.
    pub fn from_fn(rows: usize, cols: usize, block: usize, keep: impl FnMut(usize, usize) -> bool) -> Self {
        let mut lists = Self::new();
        lists.rebuild_from_fn(rows, cols, block, keep);
        lists
    }

    /// Lists of all indices in every row.
    pub fn full(rows: usize, cols: usize, block: usize) -> Self {
        Self::from_fn(rows, cols, block, |_, _| true)
    }

    /// [`Lists::from_fn`], reusing the memory of earlier lists. A `block` of 0 counts as 1.
    ///
    /// # Panics
    /// If there are `u32::MAX` entries or more.
    pub fn rebuild_from_fn(
        &mut self,
        rows: usize,
        cols: usize,
        block: usize,
        mut keep: impl FnMut(usize, usize) -> bool,
    ) {
        self.restart(rows, cols, block);
        for r in 0..rows {
            self.push_row(|write| {
                let mut n = 0;
                for (i, id) in (0..cols).zip(0_u32..) {
                    // Always written, and kept only by advancing the position: no branch can be mispredicted.
                    write[n] = id;
                    n += usize::from(keep(r, i));
                }
                n
            });
        }
    }

    /// Lists from masks with one bit per index: `words` is `[rows][ceil(cols / 64)]`, lowest bit first; bits past
    /// `cols` are ignored.
    ///
    /// # Panics
    /// If `words` has another length, or there are `u32::MAX` entries or more.
    pub fn rebuild_from_bits(&mut self, rows: usize, cols: usize, block: usize, words: &[u64]) {
        let per_row = cols.div_ceil(64);
        assert_eq!(words.len(), rows * per_row, "words of {rows} masks of {cols} bits");
        self.restart(rows, cols, block);
        for r in 0..rows {
            self.push_row(|write| {
                let mut n = 0;
                for (w, &word) in words[r * per_row..][..per_row].iter().enumerate() {
                    for bit in 0..(cols - w * 64).min(64) {
                        #[expect(
                            clippy::cast_possible_truncation,
                            reason = "`restart` checked that `cols` fits"
                        )]
                        let id = (w * 64 + bit) as u32;
                        write[n] = id;
                        n += usize::from(word >> bit & 1 == 1);
                    }
                }
                n
            });
        }
    }

    /// The given lists, row after row.
    ///
    /// # Panics
    /// If a list is not strictly ascending, or an index is not below `cols`; if there are `u32::MAX` entries or more.
    pub fn rebuild_from_rows<'a>(
        &mut self,
        cols: usize,
        block: usize,
        rows: impl ExactSizeIterator<Item = &'a [u32]>,
    ) {
        self.restart(rows.len(), cols, block);
        for row in rows {
            let last = row.last().map_or(0, |&last| last as usize + 1);
            assert!(row.windows(2).all(|w| w[0] < w[1]) && last <= cols, "ascending indices below {cols}");
            self.index.extend_from_slice(row);
            self.mark_blocks(self.len() - row.len());
        }
    }

    /// Keeps those entries of `parent` for which `keep(row, entry)` is true; it is called in order, and entries are
    /// numbered from 0 over all rows.
    pub fn rebuild_from_subset(&mut self, parent: ListsView<'_>, mut keep: impl FnMut(usize, usize) -> bool) {
        self.restart(parent.rows, parent.cols, parent.block);
        for r in 0..parent.rows {
            let entries = parent.row_entries(r);
            let row = parent.row(r);
            self.push_row(|write| {
                let mut n = 0;
                for (entry, &id) in entries.zip(row) {
                    write[n] = id;
                    n += usize::from(keep(r, entry));
                }
                n
            });
        }
    }

    /// Joins lists of neighbouring rows that were made separately (for example by threads).
    ///
    /// # Panics
    /// If the parts differ in `cols` or `block`.
    pub fn rebuild_from_parts(&mut self, parts: &[Self]) {
        let (cols, block) = parts.first().map_or((0, 1), |p| (p.cols, p.block));
        self.restart(parts.iter().map(|p| p.rows).sum(), cols, block);
        for part in parts {
            assert_eq!((part.cols, part.block), (cols, block), "columns and blocks of parts");
            let base = self.count();
            self.index.extend_from_slice(&part.index);
            self.starts.extend(part.starts[1..].iter().map(|s| base + s));
            self.count();
        }
    }

    /// The transposed lists: row `i` of the result lists the rows here that list `i`. Also, for each entry of the
    /// result, its entry here: `values_there[e] = values_here[from[e]]`.
    pub fn transpose(&self, block: usize) -> (Self, Vec<u32>) {
        let (mut turned, mut from) = (Self::new(), Vec::new());
        turned.rebuild_transposed(self, block, &mut from);
        (turned, from)
    }

    /// [`Lists::transpose`], reusing memory.
    pub fn rebuild_transposed(&mut self, other: &Self, block: usize, from: &mut Vec<u32>) {
        self.rebuild_transposed_part(other, 0..other.cols, block, from);
    }

    /// Some neighbouring rows of [`Lists::transpose`]'s result, counted from 0: those of the indices in `part`, one
    /// thread's share.
    ///
    /// # Panics
    /// If `part` is not within the indices.
    pub fn rebuild_transposed_part(
        &mut self,
        other: &Self,
        part: Range<usize>,
        block: usize,
        from: &mut Vec<u32>,
    ) {
        assert!(part.start <= part.end && part.end <= other.cols, "indices {part:?} of {}", other.cols);
        // Lists whose `rebuild` panicked lack starts, and `len` detects that: here, before anything is half done.
        other.view().len();
        self.set_shape(part.len(), other.rows, block);
        let whole = part.len() == other.cols;
        // The entries of row `r` in `part`, and the number of the first.
        let entries = |r: usize| {
            let (row, numbers) = (other.view().row(r), other.view().row_entries(r));
            if whole {
                return (row, numbers.start);
            }
            let start = row.partition_point(|&i| (i as usize) < part.start);
            let len = row[start..].partition_point(|&i| (i as usize) < part.end);
            (&row[start..start + len], numbers.start + start)
        };
        let blocks = self.blocks();
        // A counting sort: first where each (row, block) starts, then each entry to its place.
        self.starts.resize(self.rows * blocks + 1, 0);
        for r in 0..other.rows {
            for &i in entries(r).0 {
                self.starts[(i as usize - part.start) * blocks + r / self.block + 1] += 1;
            }
        }
        for i in 1..self.starts.len() {
            self.starts[i] += self.starts[i - 1];
        }
        let mut next = self.starts.clone();
        let count = self.starts.last().map_or(0, |&count| count as usize);
        self.index.resize(count, 0);
        from.clear();
        from.resize(count, 0);
        for (r, id) in (0..other.rows).zip(0_u32..) {
            let (row, first) = entries(r);
            #[expect(clippy::cast_possible_truncation, reason = "entries are counted in 32 bits")]
            for (&i, entry) in row.iter().zip(first as u32..) {
                let place = &mut next[(i as usize - part.start) * blocks + r / self.block];
                self.index[*place as usize] = id;
                from[*place as usize] = entry;
                *place += 1;
            }
        }
    }

    /// All rows.
    pub fn view(&self) -> ListsView<'_> {
        let Self { rows, cols, block, starts, index } = self;
        ListsView { rows: *rows, cols: *cols, block: *block, starts, index }
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The bound of every index.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Neighbouring indices that a kernel processes at a time; see [`block_size`].
    pub fn block(&self) -> usize {
        self.block
    }

    /// Entries in all rows.
    #[allow(clippy::len_without_is_empty, reason = "nobody needs it")]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    fn blocks(&self) -> usize {
        self.cols.div_ceil(self.block)
    }

    fn set_shape(&mut self, rows: usize, cols: usize, block: usize) {
        assert!(u32::try_from(cols).is_ok() && u32::try_from(rows).is_ok(), "indices are 32 bits");
        (self.rows, self.cols, self.block) = (rows, cols, block.max(1));
        self.starts.clear();
        self.index.clear();
    }

    fn restart(&mut self, rows: usize, cols: usize, block: usize) {
        self.set_shape(rows, cols, block);
        self.starts.push(0);
    }

    /// Entries so far.
    fn count(&self) -> u32 {
        assert!(self.len() < u32::MAX as usize, "entries are counted in 32 bits");
        #[expect(clippy::cast_possible_truncation, reason = "checked on the line above")]
        let count = self.len() as u32;
        count
    }

    /// Appends a row: `fill` writes ascending indices below `cols` to the start of its slice, which has `cols + 1`
    /// elements, and returns how many.
    fn push_row(&mut self, fill: impl FnOnce(&mut [u32]) -> usize) {
        let start = self.len();
        self.index.resize(start + self.cols + 1, 0);
        let n = fill(&mut self.index[start..]);
        self.index.truncate(start + n);
        self.mark_blocks(start);
    }

    /// Marks where the last row, which starts at `start`, enters each block.
    fn mark_blocks(&mut self, start: usize) {
        self.count();
        let row = &self.index[start..];
        debug_assert!(row.windows(2).all(|w| w[0] < w[1]) && row.iter().all(|&i| (i as usize) < self.cols));
        let mut at = 0;
        for b in 1..=self.blocks() {
            at += row[at..].partition_point(|&i| (i as usize) < b * self.block);
            #[expect(clippy::cast_possible_truncation, reason = "`count` checked it")]
            self.starts.push((start + at) as u32);
        }
    }
}

impl Default for Lists {
    fn default() -> Self {
        Self::new()
    }
}

/// Some neighbouring rows of [`Lists`]. Its entries are numbered from 0, and have their own values: `len()` of them.
#[derive(Clone, Copy, Debug)]
pub struct ListsView<'a> {
    rows: usize,
    cols: usize,
    block: usize,
    /// `rows * blocks + 1` positions in `index`.
    starts: &'a [u32],
    /// All lists, including those of rows not in view.
    index: &'a [u32],
}

impl<'a> ListsView<'a> {
    /// Rows in view.
    pub fn rows(self) -> usize {
        self.rows
    }

    /// The bound of every index.
    pub fn cols(self) -> usize {
        self.cols
    }

    /// Entries in view. It reads the last start with a check, and every kernel calls it before its unchecked loops:
    /// so lists that a panic left unfinished are detected.
    #[allow(clippy::len_without_is_empty, reason = "nobody needs it")]
    pub fn len(self) -> usize {
        (self.starts[self.rows * self.blocks()] - self.starts[0]) as usize
    }

    /// A range of the rows in view.
    ///
    /// # Panics
    /// If the range is not within the rows.
    #[must_use]
    pub fn slice(self, rows: Range<usize>) -> Self {
        assert!(rows.start <= rows.end && rows.end <= self.rows, "rows {rows:?} of {}", self.rows);
        let blocks = self.blocks();
        Self { rows: rows.len(), starts: &self.starts[rows.start * blocks..=rows.end * blocks], ..self }
    }

    /// The list of row `row`.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(self, row: usize) -> &'a [u32] {
        let blocks = self.blocks();
        &self.index[self.starts[row * blocks] as usize..self.starts[(row + 1) * blocks] as usize]
    }

    /// Which entries belong to row `row`: the positions of its values.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row_entries(self, row: usize) -> Range<usize> {
        let blocks = self.blocks();
        let at = |i: usize| (self.starts[i] - self.starts[0]) as usize;
        at(row * blocks)..at((row + 1) * blocks)
    }

    /// Which entries belong to a range of rows: where to split the values when rows are split among threads.
    ///
    /// # Panics
    /// If the range is not within the rows.
    pub fn entries(self, rows: Range<usize>) -> Range<usize> {
        let blocks = self.blocks();
        let at = |i: usize| (self.starts[i * blocks] - self.starts[0]) as usize;
        at(rows.start)..at(rows.end)
    }

    pub(crate) fn blocks(self) -> usize {
        self.cols.div_ceil(self.block)
    }

    /// Row `row`'s entries in block `block`: their range in [`Self::index_ptr`].
    ///
    /// # Safety
    /// There is such a row and block.
    #[inline(always)]
    pub(crate) unsafe fn part(self, row: usize, block: usize) -> Range<usize> {
        debug_assert!(row < self.rows && block < self.blocks());
        let at = row * self.blocks() + block;
        // SAFETY: `starts` has `rows * blocks + 1` elements.
        unsafe {
            let base = *self.starts.get_unchecked(0);
            let (start, end) = (*self.starts.get_unchecked(at), *self.starts.get_unchecked(at + 1));
            (start - base) as usize..(end - base) as usize
        }
    }

    /// [`Self::part`], checked.
    ///
    /// # Panics
    /// If there is no such row or block.
    pub(crate) fn entries_in_block(self, row: usize, block: usize) -> Range<usize> {
        assert!(row < self.rows && block < self.blocks(), "row {row}, block {block}");
        // SAFETY: checked on the line above.
        unsafe { self.part(row, block) }
    }

    /// The part of row `row`'s list in block `block`.
    ///
    /// # Panics
    /// If there is no such row or block.
    pub(crate) fn row_in_block(self, row: usize, block: usize) -> &'a [u32] {
        let entries = self.entries_in_block(row, block);
        let base = self.starts[0] as usize;
        &self.index[base + entries.start..base + entries.end]
    }

    /// The position of entry 0's index; there are `len()`, each below `cols()`.
    #[inline(always)]
    pub(crate) fn index_ptr(self) -> *const u32 {
        self.index[self.starts[0] as usize..].as_ptr()
    }
}

/// `out[e] = values[from[e]]`: copies values to [transposed](Lists::transpose) lists.
///
/// # Panics
/// If the lengths differ or `from` has an index without a value.
pub fn gather<T: Element>(values: &[T], from: &[u32], out: &mut [T]) {
    assert_eq!(from.len(), out.len(), "values to gather");
    for (o, &e) in out.iter_mut().zip(from) {
        *o = values[e as usize];
    }
}
