//! Samples that stay in their file, which is read one block at a time.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::table::Encoding;
use crate::error::Result;
use crate::random::RandomState;

/// A file of samples in blocks of consecutive rows. `T` is the type of a block's inputs.
pub(crate) trait Source<T>: Send + Sync {
    /// D.
    fn width(&self) -> usize;

    /// For each block, the row after its last one, counted from the file's first row.
    fn ends(&self) -> &[usize];

    /// How many blocks are in memory at once, so that their samples are mixed.
    fn window(&self) -> usize;

    /// Reads a block; the block must exist.
    fn read(&self, block: usize) -> Result<T>;

    /// Whether all numbers are bytes.
    fn is_bytes(&self) -> bool {
        false
    }

    /// Whether each of the D numbers is a quantity that is scaled; `None` if all are.
    fn quantities(&self) -> Option<Vec<bool>> {
        None
    }

    /// The encodings of a table's columns, computed from these rows of the file; `None` if there is nothing to
    /// encode.
    fn fit(&self, _rows: &[u32]) -> Result<Option<Vec<Encoding>>> {
        Ok(None)
    }

    /// The same table with these encodings, one per column; `None` if there is nothing to encode.
    fn encoded(&self, _encodings: &[Encoding]) -> Option<Arc<dyn Source<T>>> {
        None
    }
}

/// Rows of a file, read when they are needed. A copy refers to the same file.
pub struct Stored<T> {
    source: Arc<dyn Source<T>>,
    /// The file, for messages.
    name: Arc<str>,
    /// Rows of the file, in this order.
    order: Arc<[u32]>,
    /// The range of `order` with the rows of this part.
    rows: Range<usize>,
    /// Without the feature there are no such rows and no code for them.
    #[cfg(not(feature = "streams"))]
    never: std::convert::Infallible,
}

impl<T> Clone for Stored<T> {
    fn clone(&self) -> Self {
        self.with_source(Arc::clone(&self.source))
    }
}

impl<T> fmt::Debug for Stored<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} stored rows of {} numbers", self.rows.len(), self.source.width())
    }
}

/// The same rows of the same file.
impl<T> PartialEq for Stored<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.source, &other.source) && self.places() == other.places()
    }
}

impl<T> Stored<T> {
    /// These rows of a file; `name` is the file's name in messages.
    #[cfg(feature = "streams")]
    pub(crate) fn new(source: Arc<dyn Source<T>>, name: &str, rows: Vec<u32>) -> Self {
        Self { source, name: name.into(), rows: 0..rows.len(), order: rows.into() }
    }

    /// The same rows from another source.
    pub(crate) fn with_source<U>(&self, source: Arc<dyn Source<U>>) -> Stored<U> {
        Stored {
            source,
            name: Arc::clone(&self.name),
            order: Arc::clone(&self.order),
            rows: self.rows.clone(),
            #[cfg(not(feature = "streams"))]
            never: self.never,
        }
    }

    /// Reads a block of the file.
    fn read(&self, block: usize) -> Result<T> {
        self.source.read(block).map_err(|error| error.within(&self.name))
    }

    /// The encodings of a table's columns, computed from these rows; `None` if there is nothing to encode.
    pub(crate) fn fit(&self) -> Result<Option<Vec<Encoding>>> {
        self.source.fit(self.places()).map_err(|error| error.within(&self.name))
    }

    /// The file.
    pub(crate) fn source(&self) -> &Arc<dyn Source<T>> {
        &self.source
    }

    /// (N, D).
    pub fn dim(&self) -> (usize, usize) {
        (self.rows.len(), self.source.width())
    }

    /// The rows' places in the file.
    pub(crate) fn places(&self) -> &[u32] {
        &self.order[self.rows.clone()]
    }

    /// Rows `from..to`, at most N.
    pub(crate) fn slice(&self, from: usize, to: usize) -> Self {
        Self { rows: self.rows.start + from..self.rows.start + to, ..self.clone() }
    }

    /// Rows in another order: row `i` is what row `order[i]` was.
    pub(crate) fn reordered(&self, order: &[usize]) -> Self {
        let places = self.places();
        let order: Arc<[u32]> = order.iter().map(|&row| places[row]).collect();
        Self { rows: 0..order.len(), order, ..self.clone() }
    }

    /// The block of row `index`, and the row's place in it.
    pub(crate) fn locate(&self, index: usize) -> (usize, usize) {
        let (row, ends) = (self.places()[index] as usize, self.source.ends());
        let block = ends.partition_point(|&end| end <= row);
        (block, row - if block == 0 { 0 } else { ends[block - 1] })
    }

    /// The blocks that contain any of the rows, in file order, each with its rows in their own order.
    fn by_block(&self) -> Vec<(usize, Vec<u32>)> {
        let mut blocks: Vec<Vec<u32>> = vec![Vec::new(); self.source.ends().len()];
        (0u32..).zip(0..self.rows.len()).for_each(|(row, index)| blocks[self.locate(index).0].push(row));
        blocks.into_iter().enumerate().filter(|(_, rows)| !rows.is_empty()).collect()
    }

    /// Reads every block that contains any of the rows, in file order, and passes it on with its rows: the index of
    /// each, and its place in the block.
    pub(crate) fn each_block(&self, mut each: impl FnMut(T, &[(usize, usize)]) -> Result<()>) -> Result<()> {
        for (block, rows) in self.by_block() {
            let rows: Vec<(usize, usize)> =
                rows.into_iter().map(|row| row as usize).map(|row| (row, self.locate(row).1)).collect();
            each(self.read(block)?, &rows)?;
        }
        Ok(())
    }

    /// All rows in a random order for which a [`Window`] reads every block once: the blocks are shuffled, then the
    /// rows of the blocks that are in memory together. If all of them are, it is `random.permutation(N)`.
    pub(crate) fn shuffled(&self, random: &mut RandomState) -> Vec<u32> {
        let (mut blocks, window) = (self.by_block(), self.source.window().max(1));
        let turns: Vec<usize> = if blocks.len() > window {
            random.permutation(blocks.len())
        } else {
            (0..blocks.len()).collect()
        };
        let mut order = Vec::with_capacity(self.rows.len());
        for turns in turns.chunks(window) {
            let rows: Vec<u32> = turns.iter().flat_map(|&turn| std::mem::take(&mut blocks[turn].1)).collect();
            order.extend(random.permutation(rows.len()).into_iter().map(|place| rows[place]));
        }
        order
    }
}

/// The most recently read blocks.
#[derive(Debug)]
pub(crate) struct Window<T> {
    /// Each with its number and the time of its last use.
    blocks: Vec<(usize, u64, T)>,
    now: u64,
}

impl<T> Default for Window<T> {
    fn default() -> Self {
        Self { blocks: Vec::new(), now: 0 }
    }
}

impl<T> Window<T> {
    /// A block; it is read if necessary, and then replaces the least recently used one.
    pub(crate) fn block(&mut self, of: &Stored<T>, block: usize) -> Result<&T> {
        self.now += 1;
        let known = self.blocks.iter().position(|(number, ..)| *number == block);
        if known.is_none() {
            if self.blocks.len() >= of.source.window().max(1) {
                let oldest = (0..self.blocks.len()).min_by_key(|&at| self.blocks[at].1);
                oldest.map(|oldest| self.blocks.swap_remove(oldest));
            }
            self.blocks.push((block, 0, of.read(block)?));
        }
        let at = known.unwrap_or(self.blocks.len() - 1);
        self.blocks[at].1 = self.now;
        Ok(&self.blocks[at].2)
    }
}

#[cfg(feature = "streams")]
#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Ten rows in blocks of four; the last has two.
    struct Ten {
        window: usize,
        read: Mutex<Vec<usize>>,
    }

    impl Source<usize> for Ten {
        fn width(&self) -> usize {
            1
        }

        fn ends(&self) -> &[usize] {
            &[4, 8, 10]
        }

        fn window(&self) -> usize {
            self.window
        }

        fn read(&self, block: usize) -> Result<usize> {
            self.read.lock().unwrap().push(block);
            Ok(block)
        }
    }

    fn ten(window: usize) -> (Arc<Ten>, Stored<usize>) {
        let source = Arc::new(Ten { window, read: Mutex::default() });
        let stored = Stored::new(source.clone(), "ten", (0..10).collect());
        (source, stored)
    }

    #[test]
    fn every_epoch_takes_each_row_once_and_reads_each_block_once() {
        for window in 1..=2 {
            let (source, all) = ten(window);
            let stored = all.slice(1, 10);
            let mut orders = Vec::new();
            for seed in 0..20 {
                let order = stored.shuffled(&mut RandomState::new(seed));
                let mut sorted = order.clone();
                sorted.sort_unstable();
                assert_eq!(sorted, (0..9).collect::<Vec<_>>());
                let mut cache = Window::default();
                for &row in &order {
                    let (block, _) = stored.locate(row as usize);
                    assert_eq!(*cache.block(&stored, block).unwrap(), block);
                    assert!(cache.blocks.len() <= window);
                }
                let mut read = std::mem::take(&mut *source.read.lock().unwrap());
                read.sort_unstable();
                assert_eq!(read, [0, 1, 2]);
                orders.push(order);
            }
            orders.dedup();
            assert_eq!(orders.len(), 20);
        }
    }

    #[test]
    fn what_is_in_memory_as_a_whole_is_shuffled_as_a_whole() {
        let order = ten(3).1.shuffled(&mut RandomState::new(7));
        let expected = RandomState::new(7).permutation(10);
        assert_eq!(order.into_iter().map(|row| row as usize).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn rows_are_found_in_any_order() {
        let (_, stored) = ten(1);
        let some = stored.reordered(&[9, 4, 3, 0]).slice(0, 3);
        assert_eq!((0..3).map(|row| some.locate(row)).collect::<Vec<_>>(), [(2, 1), (1, 0), (0, 3)]);
        let mut seen = Vec::new();
        some.each_block(|block, rows| {
            seen.push((block, rows.to_vec()));
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, [(0, vec![(2, 3)]), (1, vec![(1, 0)]), (2, vec![(0, 1)])]);
        assert_eq!(some, some.clone());
        assert_ne!(some, stored);
    }
}
