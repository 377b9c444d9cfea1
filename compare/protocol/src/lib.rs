//! The protocol of `compare/peer.py`, and the data set that every peer trains on, for peers written in Rust.

use std::error::Error;
use std::io::{self, BufRead, Write};
use std::time::Instant;

use serde::{Deserialize, Serialize};

pub const IMAGES: usize = 5000;
pub const LEARNING_RATE: f64 = 5e-4;
const WARM_UP_STEPS: usize = 5;

/// What to prepare: layer sizes, input first; samples per batch; probability to keep; the peer's setting.
#[derive(Deserialize)]
pub struct Work {
    pub net: Vec<usize>,
    pub batch: usize,
    pub keep: f64,
    pub setting: String,
}

/// A result with any error.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// One training step, which returns its loss.
pub type Step = Box<dyn FnMut() -> Result<f32>>;

#[derive(Deserialize)]
#[serde(untagged)]
enum Request {
    Prepare(Work),
    Run { steps: usize },
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Ready { ready: bool },
    Times { ms: Vec<f64>, loss: f32 },
    Error { error: String },
}

/// Answer requests until standard input ends.
pub fn serve(prepare: impl Fn(&Work) -> Result<Step>) -> Result<()> {
    let mut step = None;
    for line in io::stdin().lock().lines() {
        let answer =
            answer(&line?, &prepare, &mut step).unwrap_or_else(|e| Answer::Error { error: e.to_string() });
        writeln!(io::stdout(), "{}", serde_json::to_string(&answer)?)?;
    }
    Ok(())
}

fn answer(line: &str, prepare: &impl Fn(&Work) -> Result<Step>, step: &mut Option<Step>) -> Result<Answer> {
    match serde_json::from_str(line)? {
        Request::Prepare(work) => {
            let step = step.insert(prepare(&work)?);
            for _ in 0..WARM_UP_STEPS {
                step()?;
            }
            Ok(Answer::Ready { ready: true })
        }
        Request::Run { steps } => {
            let step = step.as_mut().ok_or("nothing was prepared")?;
            let (mut ms, mut loss) = (Vec::with_capacity(steps), 0.0);
            for _ in 0..steps {
                let start = Instant::now();
                loss = step()?;
                ms.push(1e3 * start.elapsed().as_secs_f64());
            }
            Ok(Answer::Times { ms, loss })
        }
    }
}

/// `5000 * features` numbers in [-1, 1), the same in every language: element i is a hash of i (the end of MurmurHash3).
pub fn images(features: usize) -> Vec<f32> {
    (0..IMAGES * features).map(|i| (f64::from(hash(i)) / f64::from(1_u32 << 31) - 1.0) as f32).collect()
}

/// 5000 classes; they continue where the images' hashes end.
pub fn labels(features: usize, classes: usize) -> Vec<u32> {
    (0..IMAGES).map(|i| hash(IMAGES * features + i) % classes as u32).collect()
}

/// The indices of the next batch, drawn with replacement.
pub fn batch(size: usize, drawn: &mut usize) -> Vec<u32> {
    *drawn += size;
    (*drawn - size..*drawn).map(|i| hash(i) % IMAGES as u32).collect()
}

fn hash(i: usize) -> u32 {
    let mut h = i as u32;
    h = (h ^ (h >> 16)).wrapping_mul(0x85EB_CA6B);
    h = (h ^ (h >> 13)).wrapping_mul(0xC2B2_AE35);
    h ^ (h >> 16)
}
