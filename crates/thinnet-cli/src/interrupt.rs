//! Ctrl-C.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::Failure;

/// A flag that the first Ctrl-C raises; a second one ends the program on the spot.
pub(crate) fn flag() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let raise = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if raise.swap(true, Ordering::Relaxed) {
            std::process::exit(Failure::Interrupted(String::new()).status().into());
        }
    })
    .map_err(|reason| Failure::Refused(format!("cannot listen for Ctrl-C: {reason}")))?;
    Ok(stop)
}
