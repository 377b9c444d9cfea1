//! The random numbers of a network's pass.

use crate::layers::{Draws, Mode};
use crate::random::{CounterMasks, RandomState};

/// Where the random numbers of all dropout layers of a pass come from, and the mode that these layers are in: that of the
/// pass, or that of training in a pass that is otherwise one of test mode (Monte-Carlo dropout).
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

    /// The counter-based stream's of a step, in training; `number` gives the number of a hidden layer there, or of the input,
    /// `None`.
    pub(crate) fn counter(masks: CounterMasks, step: u64, number: fn(Option<usize>) -> u32) -> Self {
        Self { mode: Mode::Train, stream: Stream::Counter { masks, step, number } }
    }

    /// The mode of the dropout layers.
    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    /// Those of a hidden layer, or of the input, `None`. Layers are to be asked for in the order of the pass.
    pub(crate) fn layer(&mut self, layer: Option<usize>) -> Draws<'_> {
        match &mut self.stream {
            Stream::Numpy(random) => Draws::Numpy(random),
            Stream::Counter { masks, step, number } => {
                Draws::Counter { masks: *masks, step: *step, layer: number(layer) }
            }
        }
    }
}
