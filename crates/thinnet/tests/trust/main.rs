//! How far probabilities can be trusted, and what makes them better: against the figures of NumPy and SciPy that
//! `golden.py` made, those of published packages (`packages.py`), and by what is proved of them.
// A test fails by panic; figures are the same or not.
#![allow(clippy::unwrap_used, clippy::float_cmp, clippy::cast_possible_truncation)]

mod conformal;
mod figures;
mod heads;
mod runs;
mod temperature;
mod together;
