//! Random bits that are 1 with a given probability, 64 per word: ChaCha with 8 rounds (Bernstein, "ChaCha, a variant
//! of Salsa20", 2008), 16 blocks in parallel.

use crate::Isa;
use crate::simd::{Op, Simd};
use crate::words::Words;

/// Words that are drawn together: the bits of 16 blocks.
pub const GROUP: usize = 128;

/// Planes of the stream for each group.
const PLANES: u64 = 64;

/// Binary digits drawn for every bit.
const DIGITS: u64 = 8;

/// Parallel blocks, and 32-bit words in each.
const BLOCKS: usize = 16;

/// The bits of a plane, word by word of the blocks, as 32-bit words.
type Plane = [u32; BLOCKS * BLOCKS];

/// Fills `words` with random bits from group `first` on, each 1 with probability `threshold / 2^32`.
/// The stream of this key and nonce (of 64 bits, as in Bernstein's paper) is divided into planes: plane `p` is its
/// blocks `16 p` to `16 p + 15`, word 0 of all sixteen first, then word 1 of all. A bit is 1 if its number of 32
/// binary digits is below the threshold. The 8192 numbers of group `g` have their eight highest digits from planes
/// `64 g` to `64 g + 7`, the highest first, each word's lowest bit first. That decides all but one in 256. For those
/// whose digits equal the threshold's, in order, the first takes its other digits from the first word (the 24
/// highest) of the following planes, the second from the second, and so on. Digits that decide nothing are not
/// computed: a probability of 1/2 needs one plane, 3/4 needs two, 0.8 needs nine.
/// 0.8 nine.
pub fn draw_bits(isa: Isa, key: &[u32; 8], nonce: u64, first: u64, threshold: u64, words: &mut [u64]) {
    let stream = Stream { key: *key, nonce };
    isa.run::<f32, _>(DrawBits { stream, first, threshold, words });
}

struct DrawBits<'a> {
    stream: Stream,
    first: u64,
    threshold: u64,
    words: &'a mut [u64],
}

impl Op<f32> for DrawBits<'_> {
    #[inline(always)]
    fn run<S: Simd<Elem = f32>>(self, s: S) {
        let Self { stream, first, threshold, words } = self;
        let Ok(threshold) = u32::try_from(threshold) else {
            words.fill(u64::MAX); // every number is below 2^32
            return;
        };
        let mut digits: Plane = [0; _];
        for (group, words) in (first..).zip(words.chunks_mut(GROUP)) {
            let (mut kept, mut open): (Plane, Plane) = ([0; _], [u32::MAX; _]);
            // Once the rest of the threshold has only zero digits, no further number can be below it.
            let (mut rest, mut plane) = (threshold, group.wrapping_mul(PLANES));
            let ties = plane.wrapping_add(DIGITS);
            while rest != 0 && plane != ties {
                stream.plane(s.words(), plane, &mut digits);
                let below = if rest >> 31 == 1 { u32::MAX } else { 0 };
                for ((kept, open), digits) in kept.iter_mut().zip(&mut open).zip(&digits) {
                    *kept |= *open & below & !digits;
                    *open &= digits ^ !below;
                }
                rest <<= 1;
                plane = plane.wrapping_add(1);
            }
            let mut used = digits.len();
            let pairs = kept.as_chunks().0.iter().zip(open.as_chunks().0);
            for (word, (kept, open)) in words.iter_mut().zip(pairs) {
                *word = joined(kept);
                let mut tied = if rest == 0 { 0 } else { joined(open) };
                while tied != 0 {
                    if used == digits.len() {
                        stream.plane(s.words(), plane, &mut digits);
                        (plane, used) = (plane.wrapping_add(1), 0);
                    }
                    *word |= u64::from(digits[used] < rest) << tied.trailing_zeros();
                    tied &= tied - 1;
                    used += 1;
                }
            }
        }
    }
}

/// Two words, low one first.
#[inline(always)]
fn joined(pair: &[u32; 2]) -> u64 {
    u64::from(pair[0]) | u64::from(pair[1]) << 32
}

struct Stream {
    key: [u32; 8],
    nonce: u64,
}

impl Stream {
    /// The bits of plane `plane`.
    #[inline(always)]
    fn plane<W: Words>(&self, w: W, plane: u64, bits: &mut Plane) {
        let constants = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574]; // "expand 32-byte k"
        let first = plane.wrapping_mul(BLOCKS as u64);
        let mut block = 0;
        while block < BLOCKS {
            // Sixteen blocks from a multiple of sixteen on differ only in the low word.
            let count = w.count(low(first).wrapping_add(low(block as u64)));
            let row = |of: [u32; 4]| of.map(|word| w.splat(word));
            let [k0, k1, k2, k3, k4, k5, k6, k7] = self.key;
            let last = [w.splat(low(first >> 32)), w.splat(low(self.nonce)), w.splat(low(self.nonce >> 32))];
            let start = [
                row(constants),
                row([k0, k1, k2, k3]),
                row([k4, k5, k6, k7]),
                [count, last[0], last[1], last[2]],
            ];
            let mut v = start;
            for _ in 0..4 {
                for diagonal in [0, 1] {
                    for column in 0..4 {
                        // In a diagonal, row `r` is `r` columns further on.
                        quarter_round(w, &mut v, [0, 1, 2, 3].map(|row| (column + diagonal * row) % 4));
                    }
                }
            }
            for (word, (v, start)) in v.into_iter().flatten().zip(start.into_iter().flatten()).enumerate() {
                w.store(&mut bits[word * BLOCKS + block..], w.add(v, start));
            }
            block += W::LANES;
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "only the low half is needed")]
#[inline(always)]
fn low(number: u64) -> u32 {
    number as u32
}

/// On one word of each row.
#[inline(always)]
fn quarter_round<W: Words>(w: W, v: &mut [[W::V; 4]; 4], [a, b, c, d]: [usize; 4]) {
    v[0][a] = w.add(v[0][a], v[1][b]);
    v[3][d] = w.turn::<16, 16>(v[3][d], v[0][a]);
    v[2][c] = w.add(v[2][c], v[3][d]);
    v[1][b] = w.turn::<12, 20>(v[1][b], v[2][c]);
    v[0][a] = w.add(v[0][a], v[1][b]);
    v[3][d] = w.turn::<8, 24>(v[3][d], v[0][a]);
    v[2][c] = w.add(v[2][c], v[3][d]);
    v[1][b] = w.turn::<7, 25>(v[1][b], v[2][c]);
}
