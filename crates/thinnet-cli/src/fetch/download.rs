//! Downloads one file, from any mirror that has it, in as many attempts as necessary.

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::http::{Answer, Client, Event, Trouble};
use super::part::{self, Origin, PartialFile};
use super::source::RemoteFile;
use super::watch::Watcher;
use crate::failure::Failure;
use crate::figures::byte_size;

/// How often a wait checks whether the user wants to stop.
const LOOK_UP: Duration = Duration::from_millis(50);
/// The longest pause between attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Fetches files.
pub(crate) struct Downloader<'a, 'b> {
    /// Sends requests to the servers.
    pub(crate) client: Client,
    /// How often to try again if no more arrives than is here already.
    pub(crate) retries: usize,
    /// The first pause before an attempt; each one after it is twice as long.
    pub(crate) pause: Duration,
    /// Receives the progress.
    pub(crate) progress: &'a mut Watcher<'b>,
}

/// Why an attempt ended before the file was complete.
enum Stop {
    /// This server cannot help now.
    Trouble(Trouble),
    /// The bytes here and the server's file do not match: the file must be requested from its start.
    StartOver(String),
    /// Nothing can help.
    Failure(Failure),
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// An address, and its last error.
struct Mirror<'a> {
    url: &'a str,
    trouble: Option<Trouble>,
}

impl Mirror<'_> {
    /// Whether a request is worthwhile.
    fn may_help(&self) -> bool {
        self.trouble.as_ref().is_none_or(|trouble| trouble.passing)
    }
}

impl Downloader<'_, '_> {
    /// Fetches `file` to `target`, from one of `urls`, which are tried in order. If all of them have failed, those
    /// that may work later are tried again after a pause. After every failure, the received bytes are kept next to
    /// `target`.
    pub(crate) fn fetch(&mut self, file: &RemoteFile, urls: &[String], target: &Path) -> Result<(), Failure> {
        let mut part = PartialFile::open(target)?;
        let result = self.fetch_to(&mut part, file, urls);
        self.progress.pause();
        let (have, path) = (part.len(), part.path().to_path_buf());
        let failure = match result {
            Ok(()) => {
                return part.finish().map_err(|reason| {
                    Failure::Refused(format!("cannot write {}: {}", target.display(), part::text(&reason)))
                });
            }
            Err(failure) => failure,
        };
        let kept = part.leave().then(|| {
            format!(
                "; {} of {} are kept in {}, and the same command resumes there",
                byte_size(have as f64),
                byte_size(file.size as f64),
                path.display()
            )
        });
        let tell = |text: String| text + kept.as_deref().unwrap_or_default();
        Err(match failure {
            Failure::Refused(text) => Failure::Refused(tell(text)),
            Failure::Interrupted(text) => Failure::Interrupted(tell(text)),
            other => other,
        })
    }

    /// Tries the mirrors in rounds until the part is complete.
    fn fetch_to(
        &mut self,
        part: &mut PartialFile,
        file: &RemoteFile,
        urls: &[String],
    ) -> Result<(), Failure> {
        let mut mirrors: Vec<Mirror<'_>> = urls.iter().map(|url| Mirror { url, trouble: None }).collect();
        let mut farthest = part.len();
        let mut failures = 0;
        loop {
            for mirror in mirrors.iter_mut().filter(|mirror| mirror.may_help()) {
                match self.attempt(part, file, mirror.url) {
                    Ok(()) => return Ok(()),
                    Err(Stop::Failure(failure)) => return Err(failure),
                    Err(Stop::Trouble(trouble)) => {
                        self.progress.pause();
                        self.progress.note(&format!("{}: {}", mirror.url, trouble.reason));
                        mirror.trouble = Some(trouble);
                    }
                    Err(Stop::StartOver(reason)) => {
                        mirror.trouble = Some(Trouble::lasting(reason));
                    }
                }
            }
            // Any progress, however slow, allows more attempts.
            if part.len() > farthest {
                (farthest, failures) = (part.len(), 0);
            }
            if failures >= self.retries || !mirrors.iter().any(Mirror::may_help) {
                return Err(gave_up(file, &mirrors));
            }
            let pause = mirrors
                .iter()
                .filter_map(|mirror| mirror.trouble.as_ref())
                .map(|trouble| trouble.pause)
                .fold(self.pause.saturating_mul(1 << failures.min(16)).min(LONGEST_PAUSE), Duration::max);
            failures += 1;
            self.progress.note(&format!(
                "next attempt in {:.1} s, {failures} of {}",
                pause.as_secs_f64(),
                self.retries
            ));
            self.wait(pause)?;
        }
    }

    /// Requests the missing bytes from one server, or all bytes if that does not work, and then checks the file.
    fn attempt(&mut self, part: &mut PartialFile, file: &RemoteFile, url: &str) -> Result<(), Stop> {
        match self.request(part, file, url) {
            Err(Stop::StartOver(reason)) => {
                self.progress.pause();
                self.progress.note(&format!("{url}: {reason}; starting over"));
                clear(part)?;
                self.request(part, file, url)
            }
            result => result,
        }
    }

    /// One request, unless everything is here already, or more than everything.
    fn request(&mut self, part: &mut PartialFile, file: &RemoteFile, url: &str) -> Result<(), Stop> {
        let start = part.len();
        if start < file.size {
            let origin = part.origin().filter(|origin| origin.url == url);
            let validator = origin.as_ref().map(|origin| origin.validator.as_str());
            let events = self.client.get(url, start, validator);
            self.receive(part, file, url, &events)?;
        }
        let md5 = part.md5().map_err(|reason| {
            Stop::Failure(Failure::Refused(format!("cannot read {}: {reason}", part.path().display())))
        })?;
        if md5 == file.md5 {
            return Ok(());
        }
        if start > 0 {
            return Err(Stop::StartOver("the parts do not form the published file".to_owned()));
        }
        clear(part)?;
        Err(Trouble::lasting(format!("what it sends has the MD5 checksum {md5} instead of {}", file.md5))
            .into())
    }

    /// Writes the received bytes until the end.
    fn receive(
        &mut self,
        part: &mut PartialFile,
        file: &RemoteFile,
        url: &str,
        events: &Receiver<Event>,
    ) -> Result<(), Stop> {
        loop {
            match self.next(events, part.len())? {
                Event::Answer(answer) => {
                    take_up(part, file, url, &answer)?;
                    self.progress.begin(file, url, part.len());
                }
                Event::Bytes(bytes) if bytes.len() as u64 > file.size - part.len() => {
                    clear(part)?;
                    return Err(
                        Trouble::lasting(format!("it sends more than the {} bytes", file.size)).into()
                    );
                }
                Event::Bytes(bytes) => {
                    part.append(&bytes).map_err(|reason| cannot_write(part, &reason))?;
                    self.progress.advance(part.len());
                }
                Event::End if part.len() == file.size => return Ok(()),
                Event::End => {
                    let reason = format!("it ended after {} of {} bytes", part.len(), file.size);
                    return Err(Trouble::passing(reason).into());
                }
                Event::Trouble(trouble) if trouble.no_such_part && part.len() > 0 => {
                    return Err(Stop::StartOver(trouble.reason));
                }
                Event::Trouble(trouble) => return Err(trouble.into()),
            }
        }
    }

    /// The next event of a request. The wait ends if the user wants to stop.
    fn next(&mut self, events: &Receiver<Event>, have: u64) -> Result<Event, Stop> {
        loop {
            if self.progress.interrupted() {
                return Err(Stop::Failure(stopped()));
            }
            match events.recv_timeout(LOOK_UP) {
                Ok(event) => return Ok(event),
                Err(RecvTimeoutError::Timeout) => self.progress.advance(have),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Trouble::passing("the request was dropped").into());
                }
            }
        }
    }

    /// A pause, which ends if the user wants to stop.
    fn wait(&self, pause: Duration) -> Result<(), Failure> {
        let end = Instant::now() + pause;
        loop {
            if self.progress.interrupted() {
                return Err(stopped());
            }
            match end.checked_duration_since(Instant::now()) {
                Some(left) if !left.is_zero() => thread::sleep(left.min(LOOK_UP)),
                _ => return Ok(()),
            }
        }
    }
}

/// Prepares the part for the body of this answer, or returns why it must not be written.
fn take_up(part: &mut PartialFile, file: &RemoteFile, url: &str, answer: &Answer) -> Result<(), Stop> {
    if answer.partial {
        let fits = answer.start == Some(part.len()) && answer.total.is_none_or(|total| total == file.size);
        if part.len() == 0 {
            return Err(Trouble::lasting(
                "it sends a part of the file although the whole file was requested",
            )
            .into());
        }
        if !fits {
            return Err(Stop::StartOver("it sends another part than was requested".to_owned()));
        }
    } else if part.len() > 0 {
        // The whole file: the server does not support parts, or has another version now.
        clear(part)?;
    }
    let missing = file.size - part.len();
    if let Some(length) = answer.length
        && length != missing
    {
        return Err(Trouble::lasting(format!("it sends {length} bytes instead of {missing}")).into());
    }
    let origin = answer
        .validator
        .as_ref()
        .map(|validator| Origin { url: url.to_owned(), validator: validator.clone() });
    part.set_origin(origin.as_ref()).map_err(|reason| cannot_write(part, &reason))
}

/// Drops the received bytes.
fn clear(part: &mut PartialFile) -> Result<(), Stop> {
    part.clear().map_err(|reason| cannot_write(part, &reason))
}

/// The disk is full, or similar: no server can help.
fn cannot_write(part: &PartialFile, reason: &io::Error) -> Stop {
    Stop::Failure(Failure::Refused(format!("cannot write {}: {}", part.path().display(), part::text(reason))))
}

/// Why no mirror could help, in one sentence.
fn gave_up(file: &RemoteFile, mirrors: &[Mirror<'_>]) -> Failure {
    let reasons: Vec<String> = mirrors
        .iter()
        .filter_map(|mirror| Some(format!("{}: {}", mirror.url, mirror.trouble.as_ref()?.reason)))
        .collect();
    Failure::Refused(format!("cannot fetch {} ({})", file.name, reasons.join("; ")))
}

/// The user wants to stop.
fn stopped() -> Failure {
    Failure::Interrupted("stopped".to_owned())
}
