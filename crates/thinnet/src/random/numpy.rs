//! NumPy's legacy random stream, `numpy.random.RandomState`: MT19937 underneath (Matsumoto and Nishimura 1998, from the
//! `mt19937` crate), NumPy's conventions on top (`numpy/random/mtrand.pyx`, `src/legacy/legacy-distributions.c`).
//!
//! NumPy has frozen this stream (NEP 19), so every draw here equals NumPy's bit for bit, in any order of calls.

use mt19937::MT19937;
use ndarray::{Array, Dimension, IntoDimension};
use rand_core::Rng;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, ensure};

/// Number of 32-bit words in MT19937's state.
const KEY_LENGTH: usize = mt19937::N;

/// NumPy's legacy random number generator.
///
/// ```
/// use thinnet::random::RandomState;
/// let mut random = RandomState::new(0);
/// assert_eq!(random.random_sample(), 0.5488135039273248); // np.random.seed(0); np.random.rand()
/// ```
pub struct RandomState {
    words: MT19937,
    /// The second value of the polar method, kept for the next call of `standard_normal`.
    cached_normal: Option<f64>,
}

/// The full state of a [`RandomState`], as in `numpy.random.get_state()`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The 624 words of MT19937.
    pub key: Vec<u32>,
    /// How many words of `key` were used already, 0..=624.
    pub position: usize,
    /// The cached normal value, if there is one (`has_gauss`, `cached_gaussian`).
    pub cached_normal: Option<f64>,
}

/// MT19937's tempering, applied to a word of the state before it is returned.
fn temper(mut word: u32) -> u32 {
    word ^= word >> 11;
    word ^= (word << 7) & 0x9d2c_5680;
    word ^= (word << 15) & 0xefc6_0000;
    word ^ word >> 18
}

/// A number of [`RandomState::random_sample`], times 2^53, from its two words.
fn number([high, low]: [u32; 2]) -> u64 {
    u64::from(high >> 5) << 26 | u64::from(low >> 6)
}

/// The smallest such number that is not below `p`: a number is k / 2^53 with whole k, so it is below p if k is below
/// p 2^53.
fn threshold(p: f64) -> u64 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0..=2^53
    let threshold = (p.clamp(0.0, 1.0) * 9_007_199_254_740_992.0).ceil() as u64;
    threshold
}

impl Clone for RandomState {
    fn clone(&self) -> Self {
        let mut words = MT19937::default();
        words.set_state(self.words.get_state());
        words.set_index(self.words.get_index());
        Self { words, cached_normal: self.cached_normal }
    }
}

impl std::fmt::Debug for RandomState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RandomState")
            .field("position", &self.words.get_index())
            .field("cached_normal", &self.cached_normal)
            .finish_non_exhaustive()
    }
}

impl RandomState {
    /// The stream of `numpy.random.RandomState(seed)`.
    pub fn new(seed: u32) -> Self {
        let mut random = Self { words: MT19937::default(), cached_normal: None };
        random.seed(seed);
        random
    }

    /// Restarts the stream, like `numpy.random.seed(seed)`: Knuth's initialisation (`init_genrand`), no cached normal
    /// value.
    pub fn seed(&mut self, seed: u32) {
        let mut key = [0u32; KEY_LENGTH];
        let mut previous = seed;
        for (i, word) in (0u32..).zip(key.iter_mut()) {
            if i > 0 {
                previous = 1_812_433_253u32.wrapping_mul(previous ^ (previous >> 30)).wrapping_add(i);
            }
            *word = previous;
        }
        self.words.set_state(&key);
        self.words.set_index(KEY_LENGTH);
        self.cached_normal = None;
    }

    /// The state, for [`RandomState::from_state`] or `numpy.random.set_state`.
    pub fn state(&self) -> State {
        State {
            key: self.words.get_state().to_vec(),
            position: self.words.get_index(),
            cached_normal: self.cached_normal,
        }
    }

    /// The stream that continues from a saved state.
    ///
    /// # Errors
    /// [`Error::Configuration`] if the key does not have 624 words or the position is above 624.
    pub fn from_state(state: &State) -> Result<Self> {
        let key: &[u32; KEY_LENGTH] = state.key.as_slice().try_into().map_err(|_| {
            Error::configuration(format!("an MT19937 state has 624 words, not {}", state.key.len()))
        })?;
        if state.position > KEY_LENGTH {
            return Err(Error::configuration(format!(
                "the position in an MT19937 state is at most 624, not {}",
                state.position
            )));
        }
        let mut words = MT19937::default();
        words.set_state(key);
        words.set_index(state.position);
        Ok(Self { words, cached_normal: state.cached_normal })
    }

    /// The next raw 32-bit word.
    #[inline]
    fn next_u32(&mut self) -> u32 {
        self.words.next_u32()
    }

    /// The next words, many at a time: the crate advances the state, and its words are tempered here in one pass.
    pub(crate) fn fill_words(&mut self, mut out: &mut [u32]) {
        while !out.is_empty() {
            let mut position = self.words.get_index();
            if position >= KEY_LENGTH {
                self.next_u32(); // generates the next block of the state
                position = 0;
            }
            let count = out.len().min(KEY_LENGTH - position);
            let (now, later) = out.split_at_mut(count);
            for (word, &state) in now.iter_mut().zip(&self.words.get_state()[position..]) {
                *word = temper(state);
            }
            self.words.set_index(position + count);
            out = later;
        }
    }

    /// Skips the next `count` words.
    pub(crate) fn skip_words(&mut self, mut count: usize) {
        while count > 0 {
            let mut position = self.words.get_index();
            if position >= KEY_LENGTH {
                self.next_u32();
                position = 0;
            }
            let step = count.min(KEY_LENGTH - position);
            self.words.set_index(position + step);
            count -= step;
        }
    }

    /// Two words, the first one high.
    fn next_u64(&mut self) -> u64 {
        let high = u64::from(self.next_u32());
        high << 32 | u64::from(self.next_u32())
    }

    /// For each of the next numbers of [`RandomState::random_sample`], whether it is below `p`: `rand(count) < p`.
    /// `words` must have space for `2 * count` words.
    pub(crate) fn below<'a>(&mut self, p: f64, words: &'a mut [u32]) -> impl Iterator<Item = bool> + 'a {
        self.fill_words(words);
        let threshold = threshold(p);
        words.as_chunks().0.iter().map(move |&pair| number(pair) < threshold)
    }

    /// The same as bits, lowest first: as many as `words` has space for, then zeros to the end of a word. There is
    /// one number per weight and sample, so these are loops that the compiler vectorises.
    pub(crate) fn below_bits(&mut self, p: f64, words: &mut [u32], bits: &mut [u64]) {
        self.fill_words(words);
        let threshold = threshold(p);
        for (bits, pairs) in bits.iter_mut().zip(words.as_chunks::<2>().0.chunks(64)) {
            let mut below = [0u8; 64];
            for (below, &pair) in below.iter_mut().zip(pairs) {
                *below = (number(pair).wrapping_sub(threshold) >> 63) as u8; // the sign: both are below 2^63
            }
            // The product moves byte i's bit to place i of the highest byte, and no two bits collide.
            let eight = |&bytes| u64::from_le_bytes(bytes).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            *bits = below.as_chunks().0.iter().rev().fold(0, |bits, bytes| bits << 8 | eight(bytes));
        }
    }

    /// One number uniform in [0, 1), with 53 random bits (`random_sample()`, `rand()`).
    #[inline]
    pub fn random_sample(&mut self) -> f64 {
        let high = f64::from(self.next_u32() >> 5);
        let low = f64::from(self.next_u32() >> 6);
        (high * 67_108_864.0 + low) / 9_007_199_254_740_992.0
    }

    /// An array of numbers uniform in [0, 1), filled in row-major order (`rand(*shape)`).
    pub fn rand<D: Dimension>(&mut self, shape: impl IntoDimension<Dim = D>) -> Array<f64, D> {
        Array::from_shape_simple_fn(shape.into_dimension(), || self.random_sample())
    }

    /// One number uniform in [low, high) (`uniform(low, high)`).
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.random_sample()
    }

    /// One standard normal number (`standard_normal()`, `randn()`): Marsaglia's polar method; the pair's second value is
    /// kept for the next call.
    pub fn standard_normal(&mut self) -> f64 {
        if let Some(value) = self.cached_normal.take() {
            return value;
        }
        loop {
            let x1 = 2.0 * self.random_sample() - 1.0;
            let x2 = 2.0 * self.random_sample() - 1.0;
            let r2 = x1 * x1 + x2 * x2;
            if r2 < 1.0 && r2 != 0.0 {
                let factor = (-2.0 * r2.ln() / r2).sqrt();
                self.cached_normal = Some(factor * x1);
                return factor * x2;
            }
        }
    }

    /// An array of standard normal numbers, filled in row-major order (`randn(*shape)`).
    pub fn randn<D: Dimension>(&mut self, shape: impl IntoDimension<Dim = D>) -> Array<f64, D> {
        Array::from_shape_simple_fn(shape.into_dimension(), || self.standard_normal())
    }

    /// One normal number with mean `loc` and standard deviation `scale` (`normal(loc, scale)`).
    pub fn normal(&mut self, loc: f64, scale: f64) -> f64 {
        loc + scale * self.standard_normal()
    }

    /// One integer uniform in 0..=max, by masked rejection: words are drawn and masked to the bits of `max` until one
    /// is at most `max`. `max = 0` draws nothing.
    fn bounded(&mut self, max: u64) -> u64 {
        if max == 0 {
            return 0;
        }
        let mask = u64::MAX >> max.leading_zeros();
        loop {
            let narrow = u32::try_from(mask).is_ok();
            let value = if narrow { u64::from(self.next_u32()) } else { self.next_u64() } & mask;
            if value <= max {
                return value;
            }
        }
    }

    /// `count` integers uniform in low..high (`randint(low, high, size=count)`).
    ///
    /// # Errors
    /// [`Error::Configuration`] if low >= high.
    pub fn randint(&mut self, low: i64, high: i64, count: usize) -> Result<Vec<i64>> {
        ensure!(low < high, Error::configuration(format!("randint needs low < high, got {low} and {high}")));
        let max = high.wrapping_sub(1).wrapping_sub(low).cast_unsigned();
        Ok((0..count).map(|_| low.wrapping_add_unsigned(self.bounded(max))).collect())
    }

    /// `count` indices drawn from 0..population with replacement (`choice(population, count)`).
    ///
    /// # Errors
    /// [`Error::Configuration`] if the population is empty and `count` is not 0.
    pub fn choice(&mut self, population: usize, count: usize) -> Result<Vec<usize>> {
        if population == 0 && count > 0 {
            return Err(Error::configuration("choice cannot draw from an empty population"));
        }
        Ok((0..count).map(|_| self.index(population - 1)).collect())
    }

    /// `count` different indices drawn from 0..population (`choice(population, count, replace=False)`): the first
    /// ones of a permutation.
    ///
    /// # Errors
    /// [`Error::Configuration`] if `count` is above the population.
    pub fn choice_without_replacement(&mut self, population: usize, count: usize) -> Result<Vec<usize>> {
        if count > population {
            return Err(Error::configuration(format!(
                "choice cannot draw {count} different values from {population}"
            )));
        }
        let mut indices = self.permutation(population);
        indices.truncate(count);
        Ok(indices)
    }

    /// The numbers 0..n in random order (`permutation(n)`).
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut indices: Vec<usize> = (0..n).collect();
        self.shuffle(&mut indices);
        indices
    }

    /// Puts the values into random order (`shuffle`): Fisher and Yates from the end.
    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        for i in (1..values.len()).rev() {
            let j = self.index(i);
            values.swap(i, j);
        }
    }

    /// One index in 0..=max.
    #[allow(clippy::cast_possible_truncation)] // not above `max`, which is a usize
    fn index(&mut self, max: usize) -> usize {
        self.bounded(max as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_words_at_a_time_are_the_same_words() {
        let (mut one, mut many) = (RandomState::new(9), RandomState::new(9));
        for count in [1, 5, 623, 624, 625, 2000, 0, 17] {
            let mut words = vec![0; count];
            many.fill_words(&mut words);
            assert!(words.iter().all(|&word| word == one.next_u32()), "{count}");
        }
        for count in [3, 700, 624, 0, 1] {
            many.skip_words(count);
            for _ in 0..count {
                one.next_u32();
            }
            assert_eq!(one.next_u32(), many.next_u32(), "{count}");
        }
    }

    #[test]
    fn below_is_the_comparison_of_floats() {
        let (mut floats, mut bits) = (RandomState::new(4), RandomState::new(4));
        let mut words = vec![0; 2000];
        for p in [0.0, 1e-9, 0.25, 1.0 / 3.0, 0.5, 0.7, 1.0] {
            assert!(bits.below(p, &mut words).all(|below| below == (floats.random_sample() < p)), "{p}");
        }
        // Where p is one of the numbers themselves.
        let mut peek = floats.clone();
        let p = peek.random_sample();
        assert_eq!(bits.below(p, &mut words[..2]).next(), Some(false));
        let p = peek.random_sample();
        assert_eq!(bits.below(p.next_up(), &mut words[..2]).next(), Some(true));
    }
}
