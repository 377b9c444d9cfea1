//! The Python module `thinnet._thinnet`: the library's networks and layers on NumPy arrays. Users import the Python
//! package, which checks arguments and interprets them.

mod activation;
mod course;
mod errors;
mod export;
mod network;
mod samples;
mod settings;
mod state;
mod training;

use pyo3::pymodule;

/// The compiled part of thinnet; import from `thinnet`.
#[pymodule]
mod _thinnet {
    /// The version of the package.
    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "Python's name for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    #[pymodule_export]
    use crate::activation::activate;
    #[pymodule_export]
    use crate::network::{Network, ensemble_to_onnx};
    #[pymodule_export]
    use crate::samples::Samples;
    // thinnet.course
    #[pymodule_export]
    use crate::course::data::{read_images, sample_images};
    #[pymodule_export]
    use crate::course::layers::{
        affine_backward, affine_forward, dropout_backward, dropout_forward, relu_backward, relu_forward,
        softmax_loss, svm_loss,
    };
    #[pymodule_export]
    use crate::course::network::{network_loss, network_scores};
    #[pymodule_export]
    use crate::course::normalisation::{
        NormalisationCache, batch_norm_forward, layer_norm_forward, normalisation_backward,
    };
    #[pymodule_export]
    use crate::course::optim::update;
    #[pymodule_export]
    use crate::course::solver::train;
}
