//! Ctrl-C, and other signals that end a program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;
use std::{process, thread};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::failure::Failure;

/// The signal that was received, 0 for none.
static SIGNAL: std::sync::LazyLock<Arc<AtomicUsize>> = std::sync::LazyLock::new(Arc::default);

/// A flag that the first Ctrl-C (or SIGTERM) sets; a second one ends the program at once.
pub(crate) fn flag() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal finds the flag unset and sets it, the second finds it set.
        flag::register_conditional_shutdown(signal, status(signal), Arc::clone(&stop))
            .and_then(|_| flag::register_usize(signal, Arc::clone(&SIGNAL), signal.unsigned_abs() as usize))
            .and_then(|_| flag::register(signal, Arc::clone(&stop)))
            .map_err(|reason| Failure::Refused(format!("cannot listen for Ctrl-C: {reason}")))?;
    }
    Ok(stop)
}

/// Runs work that has nothing to save: if `stop` is set meanwhile, `leave` is called, and the program ends at once.
pub(crate) fn at_once<T>(stop: &AtomicBool, leave: impl Fn() + Send, work: impl FnOnce() -> T) -> T {
    const LOOK: Duration = Duration::from_millis(20);
    thread::scope(|scope| {
        let (_done, waiting) = channel::<()>();
        scope.spawn(move || {
            while waiting.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                if stop.load(Ordering::Relaxed) {
                    leave();
                    process::exit(exit_status().into());
                }
            }
        });
        work()
    })
}

/// The exit status of a program stopped by a signal, as a shell reports it; that of Ctrl-C if there was none.
pub(crate) fn exit_status() -> u8 {
    let signal = i32::try_from(SIGNAL.load(Ordering::Relaxed)).ok().filter(|&signal| signal > 0);
    u8::try_from(status(signal.unwrap_or(SIGINT))).unwrap_or(u8::MAX)
}

/// 128 plus the signal's number.
fn status(signal: i32) -> i32 {
    128 + signal
}
