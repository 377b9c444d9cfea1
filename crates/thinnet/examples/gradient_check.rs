//! Checks the gradients of two networks, and says how long that took: the course's small one, all parameters, and the
//! experiment's (3072-500-10), a sample of each array.
//!
//! ```text
//! cargo run --release -p thinnet --example gradient_check [-- --json [THREADS]]
//! ```
//!
//! `--json` prints the times alone, for programs that compare.
#![allow(clippy::print_stdout)] // it is a program

use std::time::Instant;

use thinnet::Result;
use thinnet::data::DataSet;
use thinnet::gradient_check::{NetCheckConfig, ParameterCheck, check_net};
use thinnet::layers::{Dropout, HiddenDropout};
use thinnet::net::{FullyConnectedNet, NetConfig};
use thinnet::random::RandomState;
use thinnet::training::TrainingData;

const REPEATS: usize = 51;
/// Entries of each array of the experiment's network.
const SAMPLE: usize = 2000;

/// The checks of a network, and the seconds of one (median of `repeats`).
fn timed(
    repeats: usize,
    check: impl Fn() -> Result<Vec<ParameterCheck>>,
) -> Result<(f64, Vec<ParameterCheck>)> {
    let mut times = Vec::with_capacity(repeats);
    let mut checks = Vec::new();
    for _ in 0..repeats {
        let start = Instant::now();
        checks = check()?;
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok((times[repeats / 2], checks))
}

/// The course's small network with dropout, two samples of noise, every parameter.
fn small(config: &NetCheckConfig) -> Result<(f64, Vec<ParameterCheck>)> {
    let mut random = RandomState::new(231);
    let x = random.randn((2, 15));
    let y = random.choice(10, 2)?;
    let net = NetConfig {
        input_dim: 15,
        hidden: vec![20, 30],
        dropout: HiddenDropout::Every(Dropout::new(0.75, Some(123))?),
        weight_scale: 5e-2,
        ..NetConfig::default()
    };
    let net = FullyConnectedNet::<f64>::new(net, &mut random)?;
    timed(REPEATS, || check_net(&net, x.view(), &y, &random, config))
}

/// The experiment's network, 100 images, a sample of each array.
fn full(config: &NetCheckConfig) -> Result<(f64, Vec<ParameterCheck>)> {
    let mut random = RandomState::new(231);
    let data = TrainingData::<f64>::of(&DataSet::embedded_sample()?, 100)?;
    let dropout = Some(Dropout::new(0.25, Some(123))?);
    let net = NetConfig { hidden: vec![500], dropout: dropout.into(), ..NetConfig::default() };
    let net = FullyConnectedNet::<f64>::new(net, &mut random)?;
    let config = NetCheckConfig { sample: Some((SAMPLE, 1)), ..config.clone() };
    let x = data.train.x().to_floats()?;
    timed(1, || check_net(&net, x.view(), data.train.labels(), &random, &config))
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let json = arguments.next().is_some_and(|argument| argument == "--json");
    let threads = arguments.next().map(|threads| threads.parse()).transpose()?;
    let config = NetCheckConfig { threads, ..NetCheckConfig::default() };
    let (small_seconds, small_checks) = small(&config)?;
    let (full_seconds, full_checks) = full(&config)?;
    let checked = |checks: &[ParameterCheck]| checks.iter().map(|check| check.checked).sum::<usize>();
    let (small_count, full_count) = (checked(&small_checks), checked(&full_checks));
    if json {
        println!(
            r#"{{"seconds": {small_seconds}, "parameters": {small_count}, "full_net_seconds": {full_seconds}, "full_net_parameters": {full_count}}}"#
        );
        return Ok(());
    }
    println!(
        "the course's network, all {small_count} parameters: {:.2} ms (median of {REPEATS})",
        1e3 * small_seconds
    );
    println!("3072-500-10, batch 100, {SAMPLE} entries an array: {full_seconds:.2} s");
    for check in full_checks {
        println!(
            "  {:2}  {:4} checked, worst relative error {:.1e}, {} kinks, {} wrong",
            check.name,
            check.checked,
            check.rel_error,
            check.kinks,
            check.wrong.len()
        );
    }
    Ok(())
}
