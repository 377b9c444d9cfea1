//! How long gradient checks take; `cargo xtask bench gradient-check` runs it beside `compare/numpy_gradient_check.py`.
//!
//! Prints one line of JSON: the course's small network with dropout, all parameters (median of many checks), and the
//! course's full network, a sample of each array's parameters.

#![allow(clippy::print_stdout, reason = "an example")]

use std::time::Instant;

use thinnet::Result;
use thinnet::gradient_check::{NetCheckConfig, check_net};
use thinnet::layers::Dropout;
use thinnet::net::{FullyConnectedNet, NetConfig};
use thinnet::random::RandomState;

const REPEATS: usize = 51;
const SAMPLE: usize = 500;

/// Seconds of a check (median of `repeats`), and how many parameters it checked.
fn seconds(
    config: NetConfig,
    samples: usize,
    check: &NetCheckConfig,
    repeats: usize,
) -> Result<(f64, usize)> {
    let mut random = RandomState::new(231);
    let x = random.randn((samples, config.input_dim));
    let y: Vec<usize> = (0..samples).map(|i| i % config.num_classes).collect();
    let net = FullyConnectedNet::<f64>::new(config, &mut random)?;
    let mut times = Vec::with_capacity(repeats);
    let mut checked = 0;
    for _ in 0..repeats {
        let start = Instant::now();
        let checks = check_net(&net, x.view(), &y, &random, check)?;
        times.push(start.elapsed().as_secs_f64());
        checked = checks.iter().map(|array| array.checked).sum();
    }
    times.sort_by(f64::total_cmp);
    Ok((times[repeats / 2], checked))
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let threads = std::env::args().nth(1).map(|threads| threads.parse()).transpose()?;
    let all = NetCheckConfig { threads, ..NetCheckConfig::default() };
    let some = NetCheckConfig { sample: Some((SAMPLE, 231)), ..all.clone() };
    let small = NetConfig {
        input_dim: 15,
        hidden: vec![20, 30],
        dropout: Some(Dropout::new(0.75, Some(123))?),
        weight_scale: 5e-2,
        ..NetConfig::default()
    };
    let dropout = Some(Dropout::new(0.25, Some(123))?);
    let full = NetConfig { hidden: vec![500], dropout, ..NetConfig::default() };
    let (small, small_checked) = seconds(small, 2, &all, REPEATS)?;
    let (full, full_checked) = seconds(full, 100, &some, 1)?;
    println!(
        r#"{{"seconds": {small}, "parameters": {small_checked}, "full_net_seconds": {full}, "full_net_parameters": {full_checked}}}"#
    );
    Ok(())
}
