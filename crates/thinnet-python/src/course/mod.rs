//! The course's functions on NumPy arrays. The Python package `thinnet.course` has the course's names and arguments;
//! here each function of the library gets its arrays.

pub(crate) mod arrays;
pub(crate) mod data;
pub(crate) mod layers;
pub(crate) mod network;
pub(crate) mod normalisation;
pub(crate) mod optim;
pub(crate) mod random;
pub(crate) mod solver;
