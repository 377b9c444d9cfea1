//! The SIMD kernels of thinnet.
