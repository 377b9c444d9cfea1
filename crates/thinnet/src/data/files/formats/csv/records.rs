//! The lines of samples, one by one. If there are many, one thread reads them and another processes them.

use std::panic::resume_unwind;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::{mem, thread};

use csv::StringRecord;

use super::lines::Lines;
use crate::error::{Error, Result, ensure};

/// Lines that are read before a second thread starts: a short table is not worth one.
const ALONE: usize = 512;

/// About how many bytes of lines are handed over together; they fit in a core's cache.
const TOGETHER: usize = 1 << 18;

/// Lines to hand over, each with its number.
type Batch = Vec<(StringRecord, u64)>;

/// Calls `take` with every line of samples and its number; all have the same number of fields. If `take` refuses a
/// line, or a line cannot be read, the error is the one that comes first in the file.
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
    thread::scope(|scope| {
        let (full, batches) = mpsc::sync_channel::<Batch>(2);
        let (empty, used) = mpsc::channel();
        let taker = scope.spawn(move || {
            for batch in batches {
                batch.iter().try_for_each(|(record, line)| take(record, *line))?;
                drop(empty.send(batch)); // dropped if nobody reads any more
            }
            Ok(())
        });
        let read = hand_over(lines, columns, full, &used);
        taker.join().unwrap_or_else(|panic| resume_unwind(panic)).and(read)
    })
}

/// Reads all remaining lines and hands them over; memory of `used` lines is reused.
fn hand_over(
    lines: &mut Lines<'_>,
    columns: usize,
    full: SyncSender<Batch>,
    used: &Receiver<Batch>,
) -> Result<()> {
    loop {
        let mut batch = used.try_recv().unwrap_or_default();
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
        // Sending fails if an earlier line was refused; that error is reported at the end.
        let over = full.send(batch).is_err();
        if !filled? || over {
            return Ok(());
        }
    }
}

/// Refuses a line with more or fewer fields; one empty field may follow the last.
pub(super) fn check_length(lines: &Lines<'_>, columns: usize) -> Result<()> {
    let record = lines.record();
    let trailing = record.len() == columns + 1 && record.get(columns) == Some("");
    let found = record.len() - usize::from(trailing);
    if found == columns {
        return Ok(());
    }
    let fields = if found == 1 { "field" } else { "fields" };
    Err(Error::data(format!("line {} has {found} {fields}, but the first has {columns}", lines.line())))
}
