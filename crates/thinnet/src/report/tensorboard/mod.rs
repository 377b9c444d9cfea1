//! A training run as TensorBoard shows it: event files with scalars, histograms and images.
//!
//! | tag | what |
//! |---|---|
//! | `loss/batch_mean` | [`Epoch::loss`]: the mean of the epoch's steps |
//! | `loss/train`, `loss/val` | the losses of the checks |
//! | `accuracy/train`, `accuracy/val`, `top5/...`, `r2/...` | shares, where the task has them |
//! | `learning_rate`, `samples_per_second` | |
//! | `weights/W1`, `first_layer`, ... | what the caller gives [`EventFile::histogram`] and [`EventFile::image`] |
//!
//! The step of every event is the number of its epoch. Scalars are 32-bit floats, as TensorBoard's `simple_value` is.
//!
//! One idea a file: `frame` (records in a file), `messages` (what a record holds), `buckets` (histograms).

mod buckets;
mod frame;
mod messages;

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Cursor, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use prost::Message;

use crate::error::{Error, Result};
use crate::training::Epoch;
use frame::Records;
use messages::{Content, Event, Image, SessionLog, Summary, Value, What};

/// What a file's first event says.
const VERSION: &str = "brain.Event:2";
/// A figure that every epoch has.
const EPOCH: &str = "loss/batch_mean";
/// A file's name before and after the seconds since 1970.
const NAME: (&str, &str) = ("events.out.tfevents.", ".thinnet");

/// A file that TensorBoard reads, open for more events.
///
/// ```no_run
/// # fn f(epoch: &thinnet::training::Epoch) -> thinnet::Result<()> {
/// use thinnet::report::tensorboard::EventFile;
///
/// let mut events = EventFile::create("runs/first".as_ref())?;
/// events.epoch(epoch)?;
/// events.flush()?; // TensorBoard shows it from now on
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct EventFile {
    path: PathBuf,
    out: BufWriter<File>,
}

impl EventFile {
    /// Begins a file `events.out.tfevents.<seconds since 1970>.thinnet` in `folder`, which is made if need be. Its name
    /// sorts behind those of the files that are there, which is the order in which TensorBoard reads them.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder or the file cannot be made.
    pub fn create(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
        let newest = newest(folder).map_err(Error::io("read the folder", folder))?;
        let mut seconds = newest.map_or(0, |(seconds, _)| seconds + 1).max(since_1970().as_secs());
        loop {
            let path = folder.join(format!("{}{seconds:010}{}", NAME.0, NAME.1));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    let mut events = Self { path, out: BufWriter::new(file) };
                    events.write(0, What::FileVersion(VERSION.to_owned()))?;
                    events.flush()?;
                    return Ok(events);
                }
                // Another run in the same folder took the name just now.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => seconds += 1,
                Err(error) => return Err(Error::io("create", &path)(error)),
            }
        }
    }

    /// Goes on with the newest file in `folder`, behind its last whole event of a step up to `step`: what a stopped run
    /// left half-written is cut off, and so are epochs that will be trained again.
    ///
    /// Where there is no such file, or it cannot be read, a new one is made. Either way TensorBoard is told to drop what
    /// older files have of later steps. One that showed this file before it was cut has to be started anew.
    ///
    /// - `step`: epochs that are done
    ///
    /// # Errors
    /// [`Error::Io`] if the folder or the file cannot be written.
    pub fn resume(folder: &Path, step: u64) -> Result<Self> {
        Self::go_on(folder, step, &[])
    }

    /// As [`EventFile::resume`], behind the last of these epochs, which are all that are done: the figures of those that the
    /// file lacks are added. A run may have been killed between its checkpoint and its events.
    ///
    /// # Errors
    /// As [`EventFile::resume`].
    pub fn resume_with(folder: &Path, epochs: &[Epoch]) -> Result<Self> {
        Self::go_on(folder, epochs.last().map_or(0, |last| last.epoch as u64), epochs)
    }

    fn go_on(folder: &Path, step: u64, epochs: &[Epoch]) -> Result<Self> {
        let newest = newest(folder).unwrap_or_default();
        let sound = newest.and_then(|(_, path)| Some((sound_part(&path, step).ok()??, path)));
        // A new file that holds all epochs takes the place of older ones from their first step on.
        let (mut events, known, start) = match sound {
            Some((Sound { mut file, end, known }, path)) => {
                file.set_len(end)
                    .and_then(|()| file.seek(SeekFrom::Start(end)))
                    .map_err(Error::io("write", &path))?;
                (Self { path, out: BufWriter::new(file) }, known, step)
            }
            None if epochs.is_empty() => (Self::create(folder)?, HashSet::new(), step),
            None => (Self::create(folder)?, HashSet::new(), 0),
        };
        events.write(start.saturating_add(1), What::SessionLog(SessionLog { status: SessionLog::START }))?;
        for epoch in epochs.iter().filter(|epoch| !known.contains(&signed(epoch.epoch as u64))) {
            events.epoch(epoch)?;
        }
        events.flush()?;
        Ok(events)
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds an epoch's figures.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written.
    pub fn epoch(&mut self, epoch: &Epoch) -> Result<()> {
        let Epoch { train, val, .. } = epoch;
        let scalars = [
            (EPOCH, Some(epoch.loss)),
            ("loss/train", Some(train.loss)),
            ("loss/val", Some(val.loss)),
            ("accuracy/train", train.accuracy),
            ("accuracy/val", val.accuracy),
            ("top5/train", train.top5),
            ("top5/val", val.top5),
            ("r2/train", train.r2),
            ("r2/val", val.r2),
            ("learning_rate", Some(epoch.learning_rate)),
            ("samples_per_second", Some(epoch.samples_per_second)),
        ];
        #[allow(clippy::cast_possible_truncation)] // the format's precision
        let values = scalars.into_iter().filter_map(|(tag, value)| {
            Some(Value { tag: tag.to_owned(), content: Some(Content::SimpleValue(value? as f32)) })
        });
        self.write(epoch.epoch as u64, What::Summary(Summary { value: values.collect() }))
    }

    /// Adds a histogram of the values that are finite.
    ///
    /// - `tag`: its name, such as `weights/W1`
    /// - `epoch`: how many epochs were done
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written.
    pub fn histogram(&mut self, tag: &str, epoch: usize, values: impl Iterator<Item = f64>) -> Result<()> {
        self.value(tag, epoch, Content::Histo(buckets::histogram(values)))
    }

    /// Adds a picture.
    ///
    /// - `tag`: its name, such as `first_layer`
    /// - `epoch`: how many epochs were done
    /// - `png`: the file of the picture
    /// - `size`: its height and width in pixels
    ///
    /// # Errors
    /// [`Error::Data`] if the bytes are no PNG of that size, [`Error::Io`] if the file cannot be written.
    pub fn image(&mut self, tag: &str, epoch: usize, png: &[u8], size: (usize, usize)) -> Result<()> {
        let reader = png::Decoder::new(Cursor::new(png))
            .read_info()
            .map_err(|error| Error::data(format!("the picture {tag} is no PNG: {error}")))?;
        let info = reader.info();
        if (info.height as usize, info.width as usize) != size {
            return Err(Error::data(format!(
                "the picture {tag} is said to be {} x {} pixels (height x width), but is {} x {}",
                size.0, size.1, info.height, info.width
            )));
        }
        let colorspace = match info.color_type {
            png::ColorType::Grayscale => 1,
            png::ColorType::GrayscaleAlpha => 2,
            png::ColorType::Rgb | png::ColorType::Indexed => 3,
            png::ColorType::Rgba => 4,
        };
        let image = Image {
            height: info.height.cast_signed(), // PNG allows 31 bits
            width: info.width.cast_signed(),
            colorspace,
            encoded_image_string: png.to_vec(),
        };
        self.value(tag, epoch, Content::Image(image))
    }

    /// Hands on to the system what was added, so that a reader of the file sees whole events.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written.
    pub fn flush(&mut self) -> Result<()> {
        self.out.flush().map_err(Error::io("write", &self.path))
    }

    /// Flushes, and waits until the disk has it.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written.
    pub fn sync(&mut self) -> Result<()> {
        self.flush()?;
        self.out.get_ref().sync_data().map_err(Error::io("write", &self.path))
    }

    fn value(&mut self, tag: &str, epoch: usize, content: Content) -> Result<()> {
        let value = Value { tag: tag.to_owned(), content: Some(content) };
        self.write(epoch as u64, What::Summary(Summary { value: vec![value] }))
    }

    fn write(&mut self, step: u64, what: What) -> Result<()> {
        let event = Event { wall_time: since_1970().as_secs_f64(), step: signed(step), what: Some(what) };
        frame::write(&mut self.out, &event.encode_to_vec()).map_err(Error::io("write", &self.path))
    }
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

fn signed(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}

/// The newest of our files in a folder, with the seconds in its name.
fn newest(folder: &Path) -> io::Result<Option<(u64, PathBuf)>> {
    let mut newest = None;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let seconds = name
            .to_str()
            .and_then(|name| name.strip_prefix(NAME.0)?.strip_suffix(NAME.1))
            .filter(|digits| digits.len() == 10 && digits.bytes().all(|digit| digit.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok());
        if let Some(seconds) = seconds {
            newest = newest.max(Some((seconds, entry.path())));
        }
    }
    Ok(newest)
}

/// What of a file can be gone on with.
struct Sound {
    /// Open for writing.
    file: File,
    /// Where its last whole event of a step up to the one that was asked for ends.
    end: u64,
    /// The epochs whose figures are there.
    known: HashSet<i64>,
}

/// What of a file is whole and of a step up to `step`; `None` if it is no event file.
fn sound_part(path: &Path, step: u64) -> io::Result<Option<Sound>> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut records = Records::new(BufReader::new(&file), file.metadata()?.len());
    let Some((first, mut end)) = records.next()? else { return Ok(None) };
    let is_version =
        |event: &Event| matches!(&event.what, Some(What::FileVersion(version)) if version == VERSION);
    if !Event::decode(first.as_slice()).is_ok_and(|event| is_version(&event)) {
        return Ok(None);
    }
    let is_epoch = |event: &Event| match &event.what {
        Some(What::Summary(summary)) => summary.value.iter().any(|value| value.tag == EPOCH),
        _ => false,
    };
    let mut known = HashSet::new();
    while let Some((record, size)) = records.next()? {
        // Events come in the order of their steps, but for a session's start, which is a step ahead of what it goes on from.
        match Event::decode(record.as_slice()) {
            Ok(event) if event.step <= signed(step) => {
                end += size;
                if is_epoch(&event) {
                    known.insert(event.step);
                }
            }
            _ => break,
        }
    }
    drop(records);
    Ok(Some(Sound { file, end, known }))
}

#[cfg(test)]
mod tests;
