//! How long a data set takes to be read: `cargo run --release --example loading_time -- PATH [ROUNDS]` prints the seconds
//! of each round as JSON. `compare/loading.py` runs it beside NumPy and Python's pickle.

#![allow(clippy::print_stdout, reason = "an example")]

use std::path::Path;
use std::time::Instant;

use thinnet::data::{DataSet, ReadOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("what is the path of the data set?")?;
    let rounds: usize = arguments.next().map_or(Ok(1), |rounds| rounds.parse())?;
    let mut seconds = Vec::new();
    let mut samples = 0;
    for _ in 0..rounds {
        let start = Instant::now();
        let set = DataSet::open(Path::new(&path), &ReadOptions::default())?;
        seconds.push(start.elapsed().as_secs_f64());
        samples = set.parts().map(|(_, split)| split.len()).sum();
    }
    println!("{}", serde_json::json!({ "seconds": seconds, "samples": samples }));
    Ok(())
}
