//! A file that reports how much of it was read.

use std::io::{self, Read, Seek, SeekFrom};

/// Receives the progress of reading a file: bytes read so far, and all bytes.
pub type ReadProgress<'a> = &'a dyn Fn(u64, u64);

/// A file of `size` bytes.
pub(super) struct Counted<'a, R> {
    file: R,
    done: u64,
    size: u64,
    progress: ReadProgress<'a>,
}

impl<'a, R> Counted<'a, R> {
    pub(super) fn new(file: R, size: u64, progress: ReadProgress<'a>) -> Self {
        Self { file, done: 0, size, progress }
    }
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        // Bytes that are read twice count twice, up to the file's size.
        self.done = self.done.saturating_add(count as u64).min(self.size);
        (self.progress)(self.done, self.size);
        Ok(count)
    }
}

impl<R: Seek> Seek for Counted<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io::Cursor;

    use super::*;

    #[test]
    fn bytes_are_told_as_they_are_read() {
        let told = RefCell::new(Vec::new());
        let progress = |done, size| told.borrow_mut().push((done, size));
        let mut file = Counted::new(Cursor::new([0; 10]), 10, &progress);
        let mut bytes = [0; 6];
        let read: Vec<usize> = (0..2).map(|_| file.read(&mut bytes).unwrap()).collect();
        file.rewind().unwrap();
        assert_eq!((read, file.read(&mut bytes).unwrap()), (vec![6, 4], 6));
        assert_eq!(*told.borrow(), [(6, 10), (10, 10), (10, 10)]);
    }
}
