//! The lines of samples, one by one: they are read on one thread, and taken on another where there are many.

use std::panic::resume_unwind;
use std::{mem, thread};

use csv::StringRecord;

use super::lines::Lines;
use crate::error::{Error, Result, ensure};

/// Lines that are read before another thread takes any: a short table is not worth one.
const ALONE: usize = 512;

/// Bytes of lines that are taken together, about: a thread is begun for so many.
const TOGETHER: usize = 1 << 18;

/// Lines that are taken together, each with its number.
type Batch = Vec<(StringRecord, u64)>;

/// Calls `take` with every line of samples, all of as many fields, and its number. Whichever comes first in the file of what it
/// does not take and what cannot be read is the error.
pub(super) fn each_record(
    lines: &mut Lines<'_>,
    columns: usize,
    mut take: impl FnMut(&StringRecord, u64) -> Result<()> + Send,
) -> Result<()> {
    let begun = lines.line() > 0;
    let several = thread::available_parallelism().is_ok_and(|cores| cores.get() > 1);
    let mut taken = 0;
    while !several || taken < ALONE {
        if !lines.next()? {
            ensure!(taken > 0 || !begun, Error::data("it has a header and nothing below it"));
            return Ok(());
        }
        check_length(lines, columns)?;
        take(lines.record(), lines.line())?;
        taken += 1;
    }
    let (mut full, mut next) = (Batch::new(), Batch::new());
    let mut more = fill(lines, columns, &mut full);
    loop {
        // What was read before a fault comes first.
        let last = !matches!(more, Ok(true));
        let read = thread::scope(|scope| {
            let taker = scope.spawn(|| full.iter().try_for_each(|(record, line)| take(record, *line)));
            let read = if last { Ok(false) } else { fill(lines, columns, &mut next) };
            taker.join().unwrap_or_else(|panic| resume_unwind(panic)).map(|()| read)
        })?;
        if last {
            return more.map(drop);
        }
        more = read;
        mem::swap(&mut full, &mut next);
    }
}

/// Reads the next lines, as many as are taken together, in the place of those of `batch`; `false` if there are no more. Those
/// before a fault are there.
fn fill(lines: &mut Lines<'_>, columns: usize, batch: &mut Batch) -> Result<bool> {
    let (mut count, mut bytes) = (0, 0);
    let mut fill = || {
        while bytes < TOGETHER {
            if !lines.next()? {
                return Ok(false);
            }
            check_length(lines, columns)?;
            bytes += size_of::<(StringRecord, u64)>() + lines.record().as_slice().len();
            if count == batch.len() {
                batch.push(Default::default());
            }
            batch[count].1 = lines.line();
            mem::swap(&mut batch[count].0, lines.record_mut());
            count += 1;
        }
        Ok(true)
    };
    let filled = fill();
    batch.truncate(count);
    filled
}

/// Refuses a line of more or fewer fields; one that is empty may follow the last.
pub(super) fn check_length(lines: &Lines<'_>, columns: usize) -> Result<()> {
    let record = lines.record();
    let trailing = record.len() == columns + 1 && record.get(columns) == Some("");
    let found = record.len() - usize::from(trailing);
    if found == columns {
        return Ok(());
    }
    let fields = if found == 1 { "field" } else { "fields" };
    Err(Error::data(format!("line {} has {found} {fields}, and the first has {columns}", lines.line())))
}
