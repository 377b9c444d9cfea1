//! Writes an event file that is known in every figure, for TensorBoard to read.
//!
//! ```text
//! cargo run -p thinnet --example event_file -- FOLDER       # three epochs
//! cargo run -p thinnet --example event_file -- FOLDER 2     # goes on after epoch 2, up to epoch 4
//! ```
//!
//! `tests/tensorboard/test_event_file.py` compares what TensorBoard's own reader makes of it.
#![allow(clippy::print_stdout)] // it is a program

use std::env;
use std::path::PathBuf;

use ndarray::Array2;
use thinnet::report::tensorboard::EventFile;
use thinnet::report::weights_png;
use thinnet::training::{Epoch, Score};

/// The figures of an epoch; those of a run that was gone on with differ by `resumed`.
fn figures(epoch: usize, resumed: f64) -> Epoch {
    let count = epoch as f64;
    let score = |accuracy: f64| Score {
        loss: 2.0 / count + resumed,
        accuracy: Some(accuracy / 100.0),
        top5: Some(0.9),
        r2: None,
    };
    Epoch {
        epoch,
        step: 10 * epoch as u64,
        learning_rate: 1e-3 / count,
        loss: 2.5 / count + resumed,
        train: score(10.0 * count),
        val: score(8.0 * count),
        seconds: 0.5,
        samples_per_second: 1000.0,
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args_os().skip(1);
    let folder =
        arguments.next().map(PathBuf::from).ok_or("it takes a folder, and the epochs that are done")?;
    let done: Option<usize> = arguments.next().map(|count| count.to_string_lossy().parse()).transpose()?;
    let mut events = match done {
        None => EventFile::create(&folder)?,
        Some(done) => EventFile::resume(&folder, done as u64)?,
    };
    let resumed = if done.is_some() { 0.125 } else { 0.0 };
    let done = done.unwrap_or(0);
    for epoch in done + 1..=done + if done == 0 { 3 } else { 2 } {
        events.epoch(&figures(epoch, resumed))?;
        // Eight images of 3 x 2 pixels, and weights of a known spread.
        let weights = Array2::from_shape_fn((6, 8), |(input, unit)| (input * (unit + 1)) as f64 - 10.0);
        events.histogram("weights/W1", epoch, weights.iter().map(|weight| weight * epoch as f64))?;
        if let Some((png, size)) = weights_png(weights.view(), &[1, 3, 2])? {
            events.image("first_layer", epoch, &png, size)?;
        }
        events.flush()?;
    }
    events.sync()?;
    println!("{}", events.path().display());
    Ok(())
}
