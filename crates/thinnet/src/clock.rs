//! A clock that never panics: browsers' WebAssembly has none that the standard library knows of, and `Instant::now` panics
//! there.

use std::time::Duration;
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
use std::time::Instant;

/// Time since a moment. Where there is no clock, it is always zero.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch {
    #[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
    start: Instant,
}

impl Stopwatch {
    /// Starts now.
    pub(crate) fn start() -> Self {
        Self {
            #[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
            start: Instant::now(),
        }
    }

    /// The time since the start.
    #[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
    pub(crate) fn elapsed(self) -> Duration {
        self.start.elapsed()
    }

    /// Zero: there is no clock.
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    pub(crate) fn elapsed(self) -> Duration {
        Duration::ZERO
    }

    /// The time since the start, which is now.
    pub(crate) fn lap(&mut self) -> Duration {
        let elapsed = self.elapsed();
        *self = Self::start();
        elapsed
    }
}
