//! How far probabilities can be trusted, against the figures of NumPy and SciPy that `golden.py` made.
#![allow(clippy::unwrap_used)] // a test fails by panic

mod figures;
