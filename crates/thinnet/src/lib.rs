//! Neural networks with dropout that compute only the units that dropout keeps.
//!
//! Your own rows become a model that predicts, in this process and in any other:
//!
#![cfg_attr(feature = "files", doc = "```")]
#![cfg_attr(not(feature = "files"), doc = "```ignore")]
//! use ndarray::Array2;
//! use thinnet::{data::Rows, model::Model, training::TrainingConfig};
//!
//! # fn main() -> thinnet::Result<()> {
//! # let folder = std::env::temp_dir().join(format!("thinnet-front-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).unwrap();
//! # let file = folder.join("model.safetensors");
//! let x = Array2::from_shape_fn((90, 4), |(row, column)| if row % 3 == column { 1.0f32 } else { 0.1 * (row % 7) as f32 });
//! let rows = Rows::with_classes(x.clone(), (0..90).map(|row| row % 3).collect(), 3)?; // or with_numbers
//! let settings = TrainingConfig::from_toml("[model]\nhidden = [16]\nkeep = 0.75")?;
//! let model = Model::fit(&rows, &settings)?;
//! let (classes, probabilities) = (model.predict(&x)?, model.predict_proba(&x)?);
//! model.save(&file)?;
//! assert_eq!(Model::<f32>::load(&file)?.predict_proba(&x)?, probabilities); // bit for bit, in any process
//! # assert_eq!(classes.len(), 90);
//! # std::fs::remove_dir_all(&folder).unwrap();
//! # Ok(()) }
//! ```
//!
//! In the library, a keep probability is the probability to KEEP a unit, `p` in cs231n; a drop rate r is a keep probability of 1 - r.
//!
//! # Data
//!
//! [`data::DataSet::open`] reads CSV and other tables, Parquet, NumPy's arrays, IDX, HDF5, CIFAR, folders of images and more; it finds
//! out by itself what a file is. [`data::DataSet::embedded_sample`] is 1500 images of CIFAR-10 that are part of the library.
//!
#![cfg_attr(feature = "files", doc = "```")]
#![cfg_attr(not(feature = "files"), doc = "```ignore")]
//! use thinnet::data::{DataSet, ReadOptions};
//!
//! # fn main() -> thinnet::Result<()> {
//! # let folder = std::env::temp_dir().join(format!("thinnet-tour-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).unwrap();
//! # let file = folder.join("flowers.csv");
//! std::fs::write(&file, "width,colour,flower\n1.5,blue,iris\n0.5,red,rose\n0.7,red,rose\n").unwrap();
//! let set = DataSet::open(&file, &ReadOptions::default())?;
//! assert_eq!(set.names(), ["iris", "rose"]);
//! assert_eq!(set.train().len(), 3);
//! # std::fs::remove_dir_all(&folder).unwrap();
//! # Ok(()) }
//! ```
//!
//! # Training, step by step
//!
//! [`training::TrainingConfig`] has every setting, with defaults; the keys are those of the program's TOML files.
//! [`training::Trainer`] is the loop: it can be stopped after any step, written to a checkpoint, and resumed with the same bits.
//!
#![cfg_attr(feature = "files", doc = "```")]
#![cfg_attr(not(feature = "files"), doc = "```ignore")]
//! use thinnet::data::DataSet;
//! use thinnet::training::{Trainer, TrainingConfig, TrainingData};
//!
//! # fn main() -> thinnet::Result<()> {
//! let config = TrainingConfig::from_toml("[model]\nhidden = [32]\nkeep = 0.5\n[train]\nepochs = 2")?;
//! let data = TrainingData::<f32>::new(DataSet::embedded_sample()?, &config)?;
//! let mut trainer = Trainer::new(&config, &data, 2)?; // two threads; any number gives the same bits
//! while trainer.finished().is_none() {
//!     if let Some(epoch) = trainer.step()?.epoch {
//!         println!("epoch {}: loss {:.3}, validation accuracy {:?}", epoch.epoch, epoch.loss, epoch.val.accuracy);
//!     }
//! }
//! assert_eq!(trainer.history().epochs.len(), 2);
//! # Ok(()) }
//! ```
//!
//! # Dropout, to be read
//!
//! [`layers`] has each layer as its formula, forward directly above backward. These functions are the truth that the fast
//! [`engine`] is tested against. Random numbers can come from NumPy's stream, draw for draw ([`random::RandomState`]).
//!
//! ```
//! use ndarray::Array2;
//! use thinnet::layers::{Dropout, Mode, dropout_backward, dropout_forward};
//! use thinnet::random::RandomState;
//!
//! # fn main() -> thinnet::Result<()> {
//! let x = Array2::<f64>::ones((500, 500)); // (N, D)
//! let dropout = Dropout::new(0.25, None)?; // keeps a quarter of the units
//! let (out, cache) = dropout_forward(x.view(), dropout, Mode::Train, &mut RandomState::new(231));
//! let mean = out.mean().unwrap();
//! assert!((mean - 1.0).abs() < 0.01, "kept units are divided by p, so that the mean stays: {mean}");
//! let dx = dropout_backward(Array2::ones((500, 500)).view(), &cache)?;
//! assert_eq!(dx, out); // the same mask
//! # Ok(()) }
//! ```
//!
//! # Gradients, checked
//!
//! [`gradient_check::check_net`] compares all gradients of a network with central differences, on all cores. It tells a ReLU that is
//! crossed within the step, and rounding, from a wrong gradient.
//!
//! ```
//! use ndarray::array;
//! use thinnet::gradient_check::{NetCheckConfig, check_net};
//! use thinnet::net::{FullyConnectedNet, NetConfig};
//! use thinnet::random::RandomState;
//!
//! # fn main() -> thinnet::Result<()> {
//! let mut random = RandomState::new(231);
//! let config = NetConfig { input_dim: 3, hidden: vec![4], num_outputs: 2, weight_scale: 0.5, ..NetConfig::default() };
//! let net = FullyConnectedNet::<f64>::new(config, &mut random)?;
//! let (x, labels) = (array![[0.1, -0.2, 0.3], [1.0, 0.5, -1.0]], [0usize, 1]);
//! for check in check_net(&net, x.view(), &labels, &random, &NetCheckConfig::default())? {
//!     assert!(check.passes() && check.rel_error < 1e-6, "{}", check.name);
//! }
//! # Ok(()) }
//! ```
//!
//! # Runs in folders, sweeps and reports
//!
//! With the feature `report`: [`run::prepare`] and [`run::Session`] train in a folder, with checkpoints, records for TensorBoard and a
//! page; [`sweep::Plan`] and [`run::SweepRuns`] do that for a grid or random points of settings; [`run::compared`] and
//! [`report::ComparisonReport`] compare any of them. This is the course's experiment with its report:
//!
#![cfg_attr(feature = "report", doc = "```")]
#![cfg_attr(not(feature = "report"), doc = "```ignore")]
//! use thinnet::data::DataSet;
//! use thinnet::report::Report;
//! use thinnet::training::TrainingData;
//! use thinnet::training::experiment::{Settings, run};
//!
//! # fn main() -> thinnet::Result<()> {
//! # let folder = std::env::temp_dir().join(format!("thinnet-tour-report-{}", std::process::id()));
//! let set = DataSet::embedded_sample()?;
//! let settings = Settings { epochs: 1, hidden: vec![16], ..Settings::course("the embedded images", 1000, 2) };
//! let data = TrainingData::<f32>::of(&set, settings.num_train)?;
//! let (outcome, _networks) = run(&settings, &data, &mut ())?;
//! Report::new(&outcome).write(&folder)?;
//! assert!(folder.join("report.html").is_file());
//! # std::fs::remove_dir_all(&folder).unwrap();
//! # Ok(()) }
//! ```
//!
//! # Which module has what
//!
//! | module | what it is for |
//! |---|---|
//! | [`model`] | fit, predict, evaluate, save, load: what most programs need |
//! | [`data`] | rows, data sets, their formats |
//! | [`training`] | settings, the loop, checkpoints, the course's experiment |
//! | `export`, `import` | models as ONNX files, for other runtimes; networks from such files, to train them further |
//! | `run`, `sweep`, `report` | runs in folders, many of them, and pages about them |
//! | [`layers`], [`net`], [`optim`] | the readable layers, networks and optimisers |
//! | [`engine`] | how a step is computed: over the layers, or only the units that dropout keeps |
//! | [`gradient_check`], [`course`] | numerical gradients; the figures of the dropout exercise |
//! | [`random`] | NumPy's `RandomState`; a counter-based stream for masks drawn in parallel |
#![forbid(unsafe_code)]

mod clock;
pub mod course;
pub mod data;
pub mod engine;
pub mod error;
#[cfg(feature = "export")]
pub mod export;
#[cfg(feature = "files")]
pub mod files;
pub mod float;
pub mod gradient_check;
#[cfg(feature = "import")]
pub mod import;
pub mod layers;
pub mod model;
mod names;
pub mod net;
pub mod optim;
pub mod random;
mod range;
#[cfg(feature = "report")]
pub mod report;
#[cfg(feature = "report")]
pub mod run;
#[cfg(feature = "files")]
pub mod sweep;
pub mod text;
pub mod training;

pub use error::{Error, Result};
pub use float::{Dtype, Float};
