//! Checks the gradients of two networks, and says how long that took: the course's small one, all parameters, and the
//! experiment's (3072-500-10), a sample of each array.
//!
//! ```text
//! cargo run --release -p thinnet --example gradient_check
//! ```
#![allow(clippy::print_stdout)] // it is a program

use std::time::Instant;

use thinnet::data::DataSet;
use thinnet::gradient_check::{NetCheckConfig, check_net};
use thinnet::layers::Dropout;
use thinnet::net::{FullyConnectedNet, NetConfig};
use thinnet::random::RandomState;

fn main() -> thinnet::Result<()> {
    let mut random = RandomState::new(231);
    let x = random.randn((2, 15));
    let y = random.choice(10, 2)?;
    let small = NetConfig {
        input_dim: 15,
        hidden: vec![20, 30],
        dropout: Some(Dropout::new(0.75, Some(123))?),
        weight_scale: 5e-2,
        ..NetConfig::default()
    };
    let net = FullyConnectedNet::<f64>::new(small, &mut random)?;
    let mut times = Vec::new();
    let mut entries = 0;
    for _ in 0..101 {
        let start = Instant::now();
        let checks = check_net(&net, x.view(), &y, &random, &NetCheckConfig::default())?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        entries = checks.iter().map(|check| check.checked).sum();
    }
    times.sort_by(f64::total_cmp);
    println!("the course's network, {entries} parameters: {:.2} ms (median of 101)", times[50]);

    let data = DataSet::embedded_sample()?.dataset::<f64>(100)?;
    let large =
        NetConfig { hidden: vec![500], dropout: Some(Dropout::new(0.25, None)?), ..NetConfig::default() };
    let net = FullyConnectedNet::<f64>::new(large, &mut random)?;
    let config = NetCheckConfig { sample: Some((2000, 1)), ..NetCheckConfig::default() };
    let start = Instant::now();
    let checks = check_net(&net, data.train.x.to_floats().view(), &data.train.y, &random, &config)?;
    println!("3072-500-10, batch 100, 2000 entries an array: {:.2} s", start.elapsed().as_secs_f64());
    for check in checks {
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
