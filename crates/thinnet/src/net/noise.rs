//! The random numbers of a pass through the network.

use crate::layers::{Draws, Mode};
use crate::random::{CounterMasks, RandomState};

/// The source of random numbers for all dropout layers in a pass, and the mode of these layers: that of the pass, or
/// training mode in a pass that is otherwise in test mode (Monte-Carlo dropout).
#[derive(Debug)]
pub(crate) struct Noise<'a> {
    mode: Mode,
    stream: Stream<'a>,
}

#[derive(Debug)]
enum Stream<'a> {
    Numpy(&'a mut RandomState),
    Counter { masks: CounterMasks, step: u64, number: fn(Option<usize>) -> u32 },
}

impl<'a> Noise<'a> {
    /// Drawn layer by layer from NumPy's stream.
    pub(crate) fn numpy(mode: Mode, random: &'a mut RandomState) -> Self {
        Self { mode, stream: Stream::Numpy(random) }
    }

    /// Random numbers of a training step from the counter-based stream. `number` returns the number of a hidden layer
    /// there, or of the input, `None`.
    pub(crate) fn counter(masks: CounterMasks, step: u64, number: fn(Option<usize>) -> u32) -> Self {
        Self { mode: Mode::Train, stream: Stream::Counter { masks, step, number } }
    }

    /// The mode of the dropout layers.
    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    /// The random numbers of a hidden layer, or of the input, `None`. Must be called in the order of the pass.
    pub(crate) fn layer(&mut self, layer: Option<usize>) -> Draws<'_> {
        match &mut self.stream {
            Stream::Numpy(random) => Draws::Numpy(random),
            Stream::Counter { masks, step, number } => {
                Draws::Counter { masks: *masks, step: *step, layer: number(layer) }
            }
        }
    }
}
