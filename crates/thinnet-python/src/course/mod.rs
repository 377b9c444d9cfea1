//! The course's functions on NumPy arrays. What they are called and how they take their arguments in the course is the
//! business of the Python package `thinnet.course`; here each function of the library gets its arrays.

pub(crate) mod arrays;
pub(crate) mod data;
pub(crate) mod layers;
pub(crate) mod network;
pub(crate) mod normalisation;
pub(crate) mod optim;
pub(crate) mod random;
pub(crate) mod solver;
