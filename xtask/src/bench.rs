//! `cargo xtask bench`: side-by-side measurements.

use anyhow::{Result, bail};

/// What to measure.
#[derive(clap::Args)]
pub struct Arguments {}

pub fn run(_: &Arguments) -> Result<()> {
    bail!("there is nothing to measure yet")
}
