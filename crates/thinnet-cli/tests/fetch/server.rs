//! A web server that does as it is told, and tells what it was asked for.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What a client asked for.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub target: String,
    headers: Vec<(String, String)>,
}

impl Request {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The first byte that is asked for.
    pub fn start(&self) -> Option<usize> {
        let range = self.header("range")?;
        Some(range.strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap().parse().unwrap())
    }

    fn read(stream: &mut impl BufRead) -> Option<Self> {
        let mut line = String::new();
        let mut next = || {
            line.clear();
            stream.read_line(&mut line).ok().filter(|count| *count > 0)?;
            Some(line.trim_end().to_owned())
        };
        let first = next()?;
        let mut words = first.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = Vec::new();
        while let Some((name, value)) = next()?.split_once(": ") {
            headers.push((name.to_owned(), value.to_owned()));
        }
        Some(Self { method, target, headers })
    }
}

/// A thing that the server does. After the last one it closes the connection.
#[derive(Debug, Clone)]
pub enum Step {
    Send(Vec<u8>),
    /// Send it over and over, until the client leaves.
    Endless(Vec<u8>),
    Wait(Duration),
}

/// A server on a port of its own, which runs as long as the test.
pub struct Server {
    pub port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Answers each request, numbered from 0, with the steps that `script` gives.
    pub fn start(script: impl Fn(&Request, usize) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { port: listener.local_addr().unwrap().port(), requests: Arc::default() };
        let (script, requests) = (Arc::new(script), Arc::clone(&server.requests));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (script, requests) = (Arc::clone(&script), Arc::clone(&requests));
                thread::spawn(move || serve(stream, &*script, &requests));
            }
        });
        server
    }

    /// The address of a file.
    pub fn url(&self, name: &str) -> String {
        format!("http://127.0.0.1:{}/{name}", self.port)
    }

    /// What was asked for until now.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

/// One connection. As a proxy (CONNECT), it answers what comes through by itself.
fn serve(
    mut stream: TcpStream,
    script: &(impl Fn(&Request, usize) -> Vec<Step> + ?Sized),
    requests: &Mutex<Vec<Request>>,
) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(request) = Request::read(&mut reader) {
        let number = {
            let mut requests = requests.lock().unwrap();
            requests.push(request.clone());
            requests.len() - 1
        };
        if request.method == "CONNECT" {
            stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
            continue;
        }
        for step in script(&request, number) {
            match step {
                Step::Wait(time) => thread::sleep(time),
                Step::Endless(bytes) => while stream.write_all(&bytes).is_ok() {},
                // The client may have left.
                Step::Send(bytes) => {
                    if stream.write_all(&bytes).is_err() {
                        return;
                    }
                }
            }
        }
        return;
    }
}

/// The head of an answer.
pub fn head(status: &str, headers: &[(&str, &str)]) -> Step {
    let mut head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n").into_bytes();
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    head.extend(b"\r\n");
    Step::Send(head)
}

/// An answer without a file.
pub fn status(status: &str) -> Vec<Step> {
    vec![head(status, &[("Content-Length", "0")])]
}

/// All of the file, whatever was asked for.
pub fn whole(body: &[u8]) -> Vec<Step> {
    vec![head("200 OK", &[("Content-Length", &body.len().to_string())]), Step::Send(body.to_vec())]
}

/// What a good server answers: the part that was asked for if the version is still `etag`, else all of it.
pub fn good(request: &Request, body: &[u8], etag: &str) -> Vec<Step> {
    let same = request.header("if-range").is_none_or(|version| version == etag);
    let (status, start) = match request.start().filter(|_| same) {
        Some(start) => ("206 Partial Content", start),
        None => ("200 OK", 0),
    };
    let length = (body.len() - start).to_string();
    let range = format!("bytes {start}-{}/{}", body.len() - 1, body.len());
    let mut headers = vec![("Content-Length", length.as_str()), ("ETag", etag)];
    if status.starts_with("206") {
        headers.push(("Content-Range", &range));
    }
    vec![head(status, &headers), Step::Send(body[start..].to_vec())]
}

/// The same answer, but it ends after `count` bytes of the body.
pub fn cut(mut steps: Vec<Step>, count: usize) -> Vec<Step> {
    if let Some(Step::Send(body)) = steps.last_mut() {
        body.truncate(count);
    }
    steps
}
