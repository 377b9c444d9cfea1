//! What scoring leaves alone: the engine, which many may ask at once, and the stream.

use std::thread;

use ndarray::Array2;
use thinnet::data::{DataSet, Features, SparseRows, Targets};
use thinnet::engine::{Engine, EngineConfig, Inputs, Layers, Thin};
use thinnet::layers::{Activation, Normalisation, argmax};
use thinnet::net::{FullyConnectedNet, NetConfig};
use thinnet::random::RandomState;
use thinnet::training::TrainingData;
use thinnet_kernels::PanelBuf;

use crate::{Case, corner};

const SAMPLES: usize = 200;

/// A case with room for more than one block of samples, its samples and labels.
fn case(random: &mut RandomState) -> (Case, Array2<f32>, Vec<usize>) {
    let case = Case { hidden: vec![90, 40], threads: 3, ..corner() };
    let zeroed = |v: f64| if v < 0.5 { 0.0 } else { v };
    #[allow(clippy::cast_possible_truncation)] // test data
    let x = random.randn((SAMPLES, case.input_dim)).mapv(|v| zeroed(v) as f32);
    let y = random.choice(case.num_outputs, SAMPLES).unwrap();
    (case, x, y)
}

fn sparse(x: &Array2<f32>) -> Features<f32> {
    Features::Sparse(SparseRows::from_dense(x.view()))
}

/// Eight threads that ask for scores and classes of these inputs, each in an order of its own, get what one alone gets.
fn ask_at_once(engine: &dyn Engine<f32>, inputs: &[Inputs<f32>]) {
    let alone: Vec<_> =
        inputs.iter().map(|x| (engine.scores(x).unwrap(), engine.classes(x).unwrap())).collect();
    thread::scope(|scope| {
        for first in 0..8 {
            let alone = &alone;
            scope.spawn(move || {
                for turn in 0..3 * inputs.len() {
                    let at = (first + turn) % inputs.len();
                    assert_eq!(
                        engine.scores(&inputs[at]).unwrap(),
                        alone[at].0,
                        "thread {first}, turn {turn}"
                    );
                    assert_eq!(
                        engine.classes(&inputs[at]).unwrap(),
                        alone[at].1,
                        "thread {first}, turn {turn}"
                    );
                }
            });
        }
    });
}

#[test]
fn scores_asked_for_at_once_are_those_asked_for_in_turn() {
    let mut random = RandomState::new(11);
    let (case, x, y) = case(&mut random);
    let net = case.net::<f32>(&mut random);
    let normalised = FullyConnectedNet::new(
        NetConfig { normalisation: Normalisation::Batch, ..net.config().clone() },
        &mut random,
    )
    .unwrap();
    let thin = Thin::new(&net, case.rule(), EngineConfig::course(case.threads)).unwrap();
    let engines: [Box<dyn Engine<f32>>; 4] = [
        Box::new(thin),
        Box::new(Layers::new(net, case.rule()).unwrap()),
        Box::new(Layers::new(normalised.clone(), case.rule()).unwrap()),
        Box::new(Thin::new(&normalised, case.rule(), EngineConfig::course(case.threads)).unwrap()),
    ];
    for mut engine in engines {
        let floats = Features::from(x.clone());
        for form in [&floats, &sparse(&x)] {
            engine.step(form, Targets::Classes(&y), [0, 3, 77][..].into(), &mut random).unwrap();
            // One of the two is not the form in which the first layer's weights lie.
            let inputs = [&floats, &sparse(&x)].map(|x| engine.load(x).unwrap());
            ask_at_once(&*engine, &inputs);
        }
    }
}

/// Decisions by bytes, where this CPU has the instructions for them.
#[test]
fn classes_of_images_asked_for_at_once_are_those_asked_for_in_turn() {
    let data = TrainingData::<f32>::of(&DataSet::embedded_sample().unwrap(), 500).unwrap();
    let mut random = RandomState::new(231);
    let config = NetConfig { hidden: vec![60], ..NetConfig::default() };
    let net = FullyConnectedNet::<f32>::new(config, &mut random).unwrap();
    let mut engine = Thin::new(&net, corner().rule(), EngineConfig::course(2)).unwrap();
    let inputs = [data.val.x(), data.train.x()].map(|x| engine.load(x).unwrap());
    ask_at_once(&engine, &inputs);
    // Weights that lie the other way are decided by, too.
    let before = engine.classes(&inputs[0]).unwrap();
    let zeros = sparse(&Array2::zeros((1, 3072)));
    engine.set_learning_rate(0.0);
    engine.step(&zeros, Targets::Classes(&[0]), [0][..].into(), &mut random).unwrap();
    assert_eq!(engine.classes(&inputs[0]).unwrap(), before);
}

/// Images that a ReLU network's engine loaded are decided by an identity network's as its own scores say: bytes tell the
/// classes of ReLU alone.
#[test]
fn images_that_another_engine_loaded_are_decided_by_the_own_activation() {
    let data = TrainingData::<f32>::of(&DataSet::embedded_sample().unwrap(), 500).unwrap();
    let mut random = RandomState::new(231);
    let config = NetConfig { hidden: vec![60], weight_scale: 0.1, ..NetConfig::default() };
    let relu = FullyConnectedNet::<f32>::new(config.clone(), &mut random).unwrap();
    let identity = NetConfig { activation: Activation::Identity, ..config };
    let identity = FullyConnectedNet::from_parameters(identity, relu.parameters.clone()).unwrap();
    let [relu, identity] =
        [relu, identity].map(|net| Thin::new(&net, corner().rule(), EngineConfig::course(2)).unwrap());
    let inputs = relu.load(data.val.x()).unwrap();
    if !matches!(inputs, Inputs::Bytes(_)) {
        return; // this CPU decides nothing by bytes
    }
    let scores = identity.scores(&inputs).unwrap();
    let expected: Vec<usize> = scores.rows().into_iter().map(argmax).collect();
    assert_ne!(relu.classes(&inputs).unwrap(), expected);
    assert_eq!(identity.classes(&inputs).unwrap(), expected);
}

/// A sample's scores are the same to the bit alone, among others, from floats as from panels, on one thread and on many.
#[test]
fn scores_do_not_depend_on_the_other_samples() {
    let mut random = RandomState::new(5);
    let (case, x, _) = case(&mut random);
    let net = case.net::<f32>(&mut random);
    let engine = |threads| Thin::new(&net, case.rule(), EngineConfig::course(threads)).unwrap();
    let (one, many) = (engine(1), engine(3));
    // So many samples that they are worth more than one thread.
    let x = ndarray::concatenate(ndarray::Axis(0), &vec![x.view(); 20]).unwrap();
    let scores = |engine: &Thin<f32>, x: &Array2<f32>| {
        engine.scores(&engine.load(&x.clone().into()).unwrap()).unwrap()
    };
    let all = scores(&one, &x);
    assert_eq!(scores(&many, &x), all);
    let panels = Inputs::Panels(PanelBuf::from_rows(x.nrows(), x.ncols(), x.as_slice().unwrap()));
    assert_eq!(many.scores(&panels).unwrap(), all);
    for (first, count) in [(0, 1), (7, 1), (3, 50), (90, 200), (3999, 1)] {
        let rows = ndarray::s![first..first + count, ..];
        assert_eq!(scores(&many, &x.slice(rows).to_owned()), all.slice(rows));
    }
}

/// Scores of rows where they lie, row-major or not, are those of the rows that an engine loaded.
#[test]
fn rows_are_scored_where_they_lie() {
    let mut random = RandomState::new(11);
    let (case, x, _) = case(&mut random);
    let net = case.net::<f32>(&mut random);
    let reversed = x.slice(ndarray::s![..;-1, ..]);
    let columns = x.t().as_standard_layout().into_owned();
    let settings = EngineConfig::course(3);
    let engines: [Box<dyn Engine<f32>>; 2] = [
        Box::new(Thin::new(&net, case.rule(), settings).unwrap()),
        Box::new(Layers::new(net, case.rule()).unwrap()),
    ];
    for engine in engines {
        let of = |x: Array2<f32>| engine.scores(&engine.load(&x.into()).unwrap()).unwrap();
        assert_eq!(engine.scores_of(x.view()).unwrap(), of(x.clone()));
        assert_eq!(engine.scores_of(columns.t()).unwrap(), of(x.clone()));
        assert_eq!(engine.scores_of(reversed).unwrap(), of(reversed.to_owned()));
        assert_eq!(engine.scores_of(x.slice(ndarray::s![..0, ..])).unwrap().dim(), (0, case.num_outputs));
        assert!(engine.scores_of(columns.view()).is_err());
    }
}

/// A run in which other forms of the samples are scored between the steps is, to the bit, the run without.
#[test]
fn scoring_leaves_the_engine_as_it_is() {
    let mut random = RandomState::new(11);
    let (case, x, y) = case(&mut random);
    let net = case.net::<f32>(&mut random);
    let floats = Features::from(x.clone());
    for (trained, scored) in [(&floats, &sparse(&x)), (&sparse(&x), &floats)] {
        let run = |scores: bool| {
            let mut random = RandomState::new(12);
            let mut engine = Thin::new(&net, case.rule(), EngineConfig::course(2)).unwrap();
            let inputs = [trained, scored].map(|x| engine.load(x).unwrap());
            for _ in 0..3 {
                let batch = random.choice(SAMPLES, 50).unwrap();
                engine.step(trained, Targets::Classes(&y), batch.as_slice().into(), &mut random).unwrap();
                if scores {
                    let [own, other] = [0, 1].map(|at| engine.scores(&inputs[at]).unwrap());
                    assert!((&own - &other).iter().all(|d| d.abs() < 1e-4));
                }
            }
            engine.state().unwrap()
        };
        assert_eq!(run(true), run(false));
    }
}
