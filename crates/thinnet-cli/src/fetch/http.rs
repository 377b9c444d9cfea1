//! One request, on its own thread, so that the caller can stop waiting at any time.

use std::env;
use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use ureq::http::{HeaderMap, Response, StatusCode, header};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Timeout};

use crate::failure::Failure;

/// Bytes that are read at a time.
const CHUNK: usize = 1 << 16;
/// Chunks that may wait for writing.
const WAITING: usize = 16;
/// The longest pause that a server may request.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Sends requests to servers.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    agent: Agent,
    timeout: Duration,
}

/// The events of a request, in this order; `Trouble` can come at any point and is the last, as is `End`.
#[derive(Debug)]
pub(crate) enum Event {
    /// The head of the answer.
    Answer(Answer),
    /// Some of its body.
    Bytes(Vec<u8>),
    /// The end of the body, as the server intended.
    End,
    /// The last event after an error.
    Trouble(Trouble),
}

/// The head of an answer with status 200 or 206.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Whether it is a part of the file, given by [`Answer::start`] and [`Answer::total`].
    pub(crate) partial: bool,
    /// Bytes to come, if the server gives the number.
    pub(crate) length: Option<u64>,
    /// For a part: the first byte's position in the file.
    pub(crate) start: Option<u64>,
    /// For a part: the size of the whole file, if the server gives it.
    pub(crate) total: Option<u64>,
    /// The mark of this version of the file.
    pub(crate) validator: Option<String>,
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// The reason, printed after the address.
    pub(crate) reason: String,
    /// Whether another attempt may succeed.
    pub(crate) passing: bool,
    /// Whether the requested part does not exist, so that the file must be requested from its start.
    pub(crate) no_such_part: bool,
    /// How long the server wants us to wait.
    pub(crate) pause: Duration,
}

impl Trouble {
    /// Trouble that may be temporary.
    pub(crate) fn passing(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), passing: true, no_such_part: false, pause: Duration::ZERO }
    }

    /// Trouble that will not go away.
    pub(crate) fn lasting(reason: impl Into<String>) -> Self {
        Self { passing: false, ..Self::passing(reason) }
    }
}

impl Client {
    /// A client that gives up after `timeout` without a connection, an answer or a byte of it. It uses the proxies of
    /// the environment.
    pub(crate) fn new(timeout: Duration) -> Result<Self, Failure> {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .user_agent(concat!("thinnet/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(timeout))
            .timeout_connect(Some(timeout))
            .timeout_send_request(Some(timeout))
            .timeout_recv_response(Some(timeout))
            .timeout_per_read(Some(timeout));
        if let Some(file) = env::var_os("SSL_CERT_FILE").filter(|file| !file.is_empty()) {
            config = config.tls_config(TlsConfig::builder().root_certs(certificates(file.into())?).build());
        }
        Ok(Self { agent: config.build().into(), timeout })
    }

    /// Requests the file from byte `from` on; if that is not 0, the version marked by `validator`, if given. Dropping
    /// the receiver ends the request.
    pub(crate) fn get(&self, url: &str, from: u64, validator: Option<&str>) -> Receiver<Event> {
        // Files should come unchanged, not compressed for the transfer.
        let mut request = self.agent.get(url).header(header::ACCEPT_ENCODING, "identity");
        if from > 0 {
            request = request.header(header::RANGE, format!("bytes={from}-"));
            if let Some(validator) = validator {
                request = request.header(header::IF_RANGE, validator);
            }
        }
        let (sender, receiver) = sync_channel(WAITING);
        let timeout = self.timeout;
        let failed = sender.clone();
        let started = thread::Builder::new().name("fetch".to_owned()).spawn(move || {
            let last = match request.call() {
                Ok(response) => transfer(response, &sender, timeout),
                Err(error) => Event::Trouble(trouble(&error, timeout)),
            };
            // Maybe nobody is waiting any more.
            let _ = sender.send(last);
        });
        if let Err(reason) = started {
            let _ =
                failed.send(Event::Trouble(Trouble::lasting(format!("no thread can be started: {reason}"))));
        }
        receiver
    }
}

/// Passes on an answer and its body, and returns the event that ends it.
fn transfer(response: Response<Body>, sender: &SyncSender<Event>, timeout: Duration) -> Event {
    let answer = match answer(response.status(), response.headers()) {
        Ok(answer) => answer,
        Err(trouble) => return Event::Trouble(trouble),
    };
    let mut reader = response.into_body().into_reader();
    if sender.send(Event::Answer(answer)).is_err() {
        return Event::End;
    }
    let mut buffer = vec![0; CHUNK];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Event::End,
            Ok(count) if sender.send(Event::Bytes(buffer[..count].to_vec())).is_err() => return Event::End,
            Ok(_) => {}
            Err(reason) if reason.kind() == io::ErrorKind::Interrupted => {}
            Err(reason) => return Event::Trouble(trouble(&reason.into(), timeout)),
        }
    }
}

/// The head of the answer, if it contains a file.
fn answer(status: StatusCode, headers: &HeaderMap) -> Result<Answer, Trouble> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if !matches!(status, StatusCode::OK | StatusCode::PARTIAL_CONTENT) {
        let pause: Option<u64> = text(header::RETRY_AFTER).and_then(|seconds| seconds.parse().ok());
        return Err(Trouble {
            passing: status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429),
            no_such_part: status == StatusCode::RANGE_NOT_SATISFIABLE,
            pause: Duration::from_secs(pause.unwrap_or(0)).min(LONGEST_PAUSE),
            // "404 Not Found"
            ..Trouble::passing(format!("it answers {}", status.to_string().trim_end()))
        });
    }
    let range = text(header::CONTENT_RANGE).and_then(content_range);
    Ok(Answer {
        partial: status == StatusCode::PARTIAL_CONTENT,
        length: text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok()),
        start: range.map(|(start, _)| start),
        total: range.and_then(|(_, total)| total),
        // RFC 9110, 13.1.5: a weak ETag must not be sent back in If-Range.
        validator: text(header::ETAG)
            .filter(|tag| tag.starts_with('"'))
            .or_else(|| text(header::LAST_MODIFIED))
            .map(str::to_owned),
    })
}

/// The first byte and the whole size in "bytes 100-199/200"; the size may be unknown: "bytes 100-199/*".
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, total.trim().parse().ok()))
}

/// An error in words for the user.
fn trouble(error: &ureq::Error, timeout: Duration) -> Trouble {
    use ureq::Error;

    let seconds = format!("{} s", timeout.as_secs_f64());
    match error {
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
            Trouble::passing(format!("no connection within {seconds}"))
        }
        Error::Timeout(_) => Trouble::passing(format!("nothing came for {seconds}")),
        Error::HostNotFound => Trouble::passing("the host is not found"),
        Error::TooManyRedirects => Trouble::lasting("it redirects without end"),
        Error::Io(reason) => match reason.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                Trouble::passing("the connection broke off")
            }
            io::ErrorKind::ConnectionRefused => Trouble::passing("the connection was refused"),
            // This is how a TLS error arrives.
            io::ErrorKind::InvalidData => Trouble::lasting(reason.to_string()),
            _ => Trouble::passing(reason.to_string()),
        },
        Error::Protocol(reason) => Trouble::passing(format!("the answer is not HTTP: {reason}")),
        Error::ConnectProxyFailed(reason) => {
            Trouble::lasting(format!("the proxy does not connect: {reason}"))
        }
        Error::Rustls(reason) => Trouble::lasting(reason.to_string()),
        error => Trouble::lasting(error.to_string()),
    }
}

/// The certificates in a PEM file.
fn certificates(file: PathBuf) -> Result<RootCerts, Failure> {
    let refuse = |reason: String| Failure::Refused(format!("SSL_CERT_FILE {}: {reason}", file.display()));
    let pem = fs::read(&file).map_err(|reason| refuse(format!("it cannot be read: {reason}")))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) =
            item.map_err(|reason| refuse(format!("it is not a PEM file: {reason}")))?
        {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(refuse("there is no certificate in it".to_owned()));
    }
    Ok(RootCerts::Specific(Arc::new(certificates)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_range_is_parsed_as_rfc_9110_has_it() {
        assert_eq!(content_range("bytes 42-1233/1234"), Some((42, Some(1234))));
        assert_eq!(content_range("bytes 42-1233/*"), Some((42, None)));
        for bad in ["bytes */1234", "lines 1-2/3", "bytes 1-2", ""] {
            assert_eq!(content_range(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_weak_etag_marks_nothing() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ETAG, "W/\"1\"".parse().unwrap());
        assert_eq!(answer(StatusCode::OK, &headers).unwrap().validator, None);
        headers.insert(header::LAST_MODIFIED, "Tue, 01 Sep 2009 00:00:00 GMT".parse().unwrap());
        let date = answer(StatusCode::OK, &headers).unwrap().validator;
        assert_eq!(date.as_deref(), Some("Tue, 01 Sep 2009 00:00:00 GMT"));
        headers.insert(header::ETAG, "\"1\"".parse().unwrap());
        assert_eq!(answer(StatusCode::OK, &headers).unwrap().validator.as_deref(), Some("\"1\""));
    }

    #[test]
    fn a_server_may_ask_for_a_pause_but_not_for_an_endless_one() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, "3".parse().unwrap());
        let trouble = answer(StatusCode::SERVICE_UNAVAILABLE, &headers).unwrap_err();
        assert_eq!((trouble.pause, trouble.passing), (Duration::from_secs(3), true));
        assert_eq!(trouble.reason, "it answers 503 Service Unavailable");
        headers.insert(header::RETRY_AFTER, "999999999".parse().unwrap());
        assert_eq!(answer(StatusCode::TOO_MANY_REQUESTS, &headers).unwrap_err().pause, LONGEST_PAUSE);
    }
}
