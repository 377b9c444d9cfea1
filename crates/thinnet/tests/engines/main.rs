//! The engine over the kernels against the readable layers: same weights, same masks, same data.
#![allow(clippy::unwrap_used, clippy::float_cmp)] // a test fails by panic; streams are the same or not

mod fused;
mod inputs;
mod kinds;
mod monte_carlo;
mod normalised;
mod parts;
mod settings;
mod sharing;
mod state;

use ndarray::{Array2, Axis};
use proptest::prelude::*;
use thinnet::data::{Features, SparseRows, Targets};
use thinnet::engine::{Batch, Engine, EngineConfig, EngineKind, Isa, Layers, MaskSource, Thin};
use thinnet::float::Float;
use thinnet::layers::{Activation, Dropout, DropoutKind, HiddenDropout, Loss};
use thinnet::net::{FullyConnectedNet, NetConfig, Parameters};
use thinnet::optim::{Adam, Clipping, Optimiser, SgdMomentum};
use thinnet::random::RandomState;

/// A training run of a few steps, and how to compute it.
#[derive(Debug, Clone)]
struct Case {
    input_dim: usize,
    hidden: Vec<usize>,
    num_outputs: usize,
    keep: Option<f64>,
    mask_seed: Option<u32>,
    reg: f64,
    samples: usize,
    batch: usize,
    steps: usize,
    rule: &'static str,
    threads: usize,
    engine: EngineKind,
    more: More,
}

/// What the course's networks do not have.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools)] // each an option of its own
struct More {
    activation: Activation,
    loss: Loss,
    /// Dropout of the inputs.
    input_keep: Option<f64>,
    /// A keep probability of its own for each hidden layer, this one's powers.
    falling_keep: bool,
    max_norm: Option<f64>,
    /// Strength of the L1 term.
    l1: f64,
    /// Of labels, where the loss has them.
    smoothing: f64,
    clipping: Option<Clipping>,
    weighted: bool,
    counter: bool,
    /// Inputs that are mostly zeros.
    sparse: bool,
    /// Nesterov's gradient, or Adam's epsilon hat, if the rule has it.
    variant: bool,
    kind: DropoutKind,
    /// Keep probabilities that change from step to step, and dropout that is turned on and off.
    annealed: bool,
}

impl More {
    const COURSE: Self = Self {
        activation: Activation::Relu,
        loss: Loss::Softmax,
        input_keep: None,
        falling_keep: false,
        max_norm: None,
        l1: 0.0,
        smoothing: 0.0,
        clipping: None,
        weighted: false,
        counter: false,
        sparse: false,
        variant: false,
        kind: DropoutKind::Bernoulli,
        annealed: false,
    };
}

impl Case {
    fn dropout(&self) -> HiddenDropout {
        let Some(keep) = self.keep else { return HiddenDropout::None };
        let dropout = |keep| Dropout::new(keep, self.mask_seed).unwrap();
        if self.more.falling_keep {
            HiddenDropout::Each((1..).zip(&self.hidden).map(|(n, _)| dropout(keep.powi(n))).collect())
        } else {
            HiddenDropout::Every(dropout(keep))
        }
    }

    /// The dropout that is set ahead of a step.
    fn dropout_at(&self, step: usize) -> (HiddenDropout, Option<Dropout>) {
        let dropout = |keep| Dropout::new(keep, self.mask_seed).unwrap();
        let keep = self.keep.unwrap_or(0.5).max(0.2);
        let each = |keeps: [f64; 2]| (0..self.hidden.len()).map(|layer| dropout(keeps[layer % 2])).collect();
        match step % 4 {
            0 => (HiddenDropout::Every(dropout(keep.sqrt())), None),
            1 => (HiddenDropout::Each(each([1.0, keep])), Some(dropout(0.9))),
            2 => (HiddenDropout::None, Some(dropout(0.8))),
            _ => (HiddenDropout::Each(each([keep, 1.0])), None),
        }
    }

    fn rule(&self) -> Optimiser {
        match self.rule.parse().unwrap() {
            Optimiser::SgdMomentum(rule) => {
                Optimiser::SgdMomentum(SgdMomentum { nesterov: self.more.variant, ..rule })
            }
            Optimiser::Adam(rule) => Optimiser::Adam(Adam { epsilon_hat: self.more.variant, ..rule }),
            rule => rule,
        }
    }

    fn masks(&self) -> MaskSource {
        if self.more.counter { MaskSource::Counter(77) } else { MaskSource::Numpy }
    }

    fn net<F: Float>(&self, random: &mut RandomState) -> FullyConnectedNet<F> {
        let config = NetConfig {
            input_dim: self.input_dim,
            hidden: self.hidden.clone(),
            num_outputs: self.num_outputs,
            huber_delta: 0.3,
            quantiles: vec![0.2, 0.7],
            dropout: self.dropout(),
            dropout_kind: self.more.kind,
            input_dropout: self.more.input_keep.map(|keep| Dropout::new(keep, None).unwrap()),
            activation: self.more.activation,
            loss: self.more.loss,
            max_norm: self.more.max_norm,
            l1: self.more.l1,
            label_smoothing: if self.more.loss == Loss::Softmax { self.more.smoothing } else { 0.0 },
            clipping: self.more.clipping,
            reg: self.reg,
            // A Poisson network's loss grows as the exponential of its scores, and its run is soon chaos.
            weight_scale: if self.more.loss == Loss::Poisson { 0.02 } else { 0.3 },
            ..NetConfig::default()
        };
        let num_outputs = self.num_outputs * config.objective().scores_per_target();
        FullyConnectedNet::new(NetConfig { num_outputs, ..config }, random).unwrap()
    }

    /// Losses, parameters, scores after the steps in test mode and with masks, and the next number of the stream.
    fn run<F: Float>(
        &self,
        engine: &mut dyn Engine<F>,
        mut random: RandomState,
    ) -> (Vec<f64>, Parameters<F>, Array2<F>, f64) {
        let x = random.randn((self.samples, self.input_dim)).mapv(F::from_f64);
        let x = if self.more.sparse {
            let zeroed = x.mapv(|x| if x.as_f64() < 0.8 { F::zero() } else { x });
            Features::Sparse(SparseRows::from_dense(zeroed.view()))
        } else {
            x.into()
        };
        let y = random.choice(self.num_outputs, self.samples).unwrap();
        let values = random.rand((self.samples, self.num_outputs)).mapv(F::from_f64);
        let targets = match self.more.loss {
            Loss::Softmax => Targets::Classes(&y),
            _ => Targets::Values(values.view()),
        };
        let weights = random.rand(self.samples).to_vec();
        let losses = (0..self.steps)
            .map(|step| {
                if self.more.annealed {
                    let (hidden, input) = self.dropout_at(step);
                    engine.set_dropout(hidden, input).unwrap();
                }
                let batch = random.choice(self.samples, self.batch).unwrap();
                let weights = self.more.weighted.then_some(weights.as_slice());
                let batch = Batch { indices: &batch, weights };
                engine.step(&x, targets, batch, &mut random).unwrap().total()
            })
            .collect();
        let inputs = engine.load(&x).unwrap();
        let mut scores = engine.scores(&inputs).unwrap();
        scores.append(Axis(1), engine.masked_scores(&inputs, 9, &mut random).unwrap().view()).unwrap();
        (losses, engine.parameters().unwrap(), scores, random.random_sample())
    }

    /// Runs both engines; all figures must agree to `tolerance`, relative to their size.
    fn compare<F: Float>(&self, isa: Isa, tolerance: f64) {
        let mut random = RandomState::new(7);
        let net = self.net::<F>(&mut random);
        let rule = self.rule();
        let config =
            EngineConfig { kind: self.engine, threads: self.threads, masks: self.masks(), isa: Some(isa) };
        let mut thin = Thin::new(&net, rule, config).unwrap();
        let mut layers = Layers::new(net, rule).unwrap().with_masks(self.masks());
        let (losses, parameters, scores, next) = self.run(&mut thin, random.clone());
        let (true_losses, true_parameters, true_scores, true_next) = self.run(&mut layers, random);
        assert_eq!(next, true_next, "the stream is left elsewhere");
        // A run that blows up is chaos: it must blow up on both, and no more is asked of it.
        let blown = |losses: &[f64], scores: &Array2<F>, bound: f64| {
            let figures = losses.iter().copied().chain(scores.iter().map(|score| score.as_f64()));
            figures.into_iter().any(|figure| figure.is_nan() || figure.abs() > bound)
        };
        if self.steps > 1 && blown(&true_losses, &true_scores, 1e6) {
            assert!(blown(&losses, &scores, 1e5), "the truth has blown up");
            return;
        }
        // So is one step whose gradient is past the greatest number: zero times infinite is NaN, where it is not left out.
        let finite = |parameters: &Parameters<F>| {
            parameters.named().iter().all(|(_, array)| array.iter().all(|value| value.is_finite()))
        };
        if !finite(&true_parameters) {
            assert!(!finite(&parameters), "the truth has blown up");
            return;
        }
        for (loss, truth) in losses.iter().zip(&true_losses) {
            assert!((loss - truth).abs() <= tolerance * truth.abs().max(1.0), "loss {loss}, truth {truth}");
        }
        for ((name, array), (_, truth)) in parameters.named().into_iter().zip(true_parameters.named()) {
            assert_eq!(array.shape(), truth.shape(), "{name}");
            let largest = truth.iter().map(|v| v.as_f64().abs()).fold(1.0, f64::max);
            for (value, truth) in array.iter().zip(truth) {
                let error = (value.as_f64() - truth.as_f64()).abs();
                assert!(error <= tolerance * largest, "{name}: {value}, truth {truth}");
            }
        }
        let largest = true_scores.iter().map(|v| v.as_f64().abs()).fold(1.0, f64::max);
        for (value, truth) in scores.iter().zip(&true_scores) {
            assert!(
                (value.as_f64() - truth.as_f64()).abs() <= 10.0 * tolerance * largest,
                "score {value}, truth {truth}"
            );
        }
    }
}

/// Bounds that hold some gradients and not others.
fn clippings() -> impl Strategy<Value = Option<Clipping>> {
    let norm = (-3.0..1.0f64).prop_map(|power| Clipping::Norm(10f64.powf(power)));
    let value = (-4.0..0.0f64).prop_map(|power| Clipping::Value(10f64.powf(power)));
    prop::option::of(prop_oneof![norm, value])
}

/// The default half of the time, otherwise any.
fn one_of<T: Clone + std::fmt::Debug + std::str::FromStr<Err: std::fmt::Debug> + 'static, const N: usize>(
    default: T,
    names: [&'static str; N],
) -> impl Strategy<Value = T> {
    prop_oneof![Just(default), prop::sample::select(names.map(|name| name.parse().unwrap()).to_vec())]
}

fn cases() -> impl Strategy<Value = Case> {
    let sizes = (1usize..140, prop::collection::vec(1usize..90, 0..4), 1usize..12);
    let masks = (prop::option::of(0.05..=1.0f64), prop::option::weighted(0.2, any::<u32>()));
    let steps = (1usize..30, 1usize..130, 1usize..4);
    let how = (
        prop::sample::select(&Optimiser::NAMES[..]),
        1usize..4,
        prop::sample::select(vec![EngineKind::Auto, EngineKind::Dense, EngineKind::Thin]),
        prop::sample::select(vec![0.0, 0.1, 3.0]),
    );
    let more = (
        one_of(Activation::Relu, Activation::NAMES),
        one_of(Loss::Softmax, Loss::NAMES),
        prop::option::weighted(0.3, 0.3..=1.0f64),
        prop::option::weighted(0.3, 0.2..2.0f64),
        any::<[bool; 5]>(),
        prop::sample::select(vec![DropoutKind::Bernoulli, DropoutKind::Gaussian, DropoutKind::DropConnect]),
        any::<bool>(),
        prop::sample::select(vec![0.0, 0.0, 0.03]),
        prop::sample::select(vec![0.0, 0.0, 0.1, 0.9]),
        clippings(),
    )
        .prop_map(
            |(
                activation,
                loss,
                input_keep,
                max_norm,
                [a, b, c, d, e],
                kind,
                annealed,
                l1,
                smoothing,
                clipping,
            )| {
                More {
                    activation,
                    loss,
                    input_keep,
                    max_norm,
                    l1,
                    smoothing,
                    clipping,
                    falling_keep: a,
                    weighted: b,
                    counter: c,
                    variant: d,
                    sparse: e,
                    kind,
                    annealed,
                }
            },
        );
    (sizes, masks, steps, how, more).prop_map(|(sizes, masks, steps, how, more)| Case {
        input_dim: sizes.0,
        hidden: sizes.1,
        num_outputs: sizes.2,
        // The widest noise drowns a network in the rounding of what cancels out.
        keep: match more.kind {
            DropoutKind::Gaussian => masks.0.map(|keep| keep.max(if more.falling_keep { 0.5 } else { 0.2 })),
            _ => masks.0,
        },
        mask_seed: masks.1,
        reg: how.3,
        samples: steps.0,
        batch: steps.1,
        steps: steps.2,
        rule: how.0,
        threads: how.1,
        engine: how.2,
        more,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, failure_persistence: None, ..ProptestConfig::default() })]

    /// SGD, because its update shows the gradient itself: what is tested to rounding is loss, gradient and scores.
    #[test]
    fn gradients_agree_in_float64(case in cases()) {
        for isa in Isa::available() {
            Case { rule: "sgd", steps: 1, ..case.clone() }.compare::<f64>(isa, 1e-12);
        }
    }

    /// 840 units in the last place, where float64 is given 4500: scales of 1/p^3 on units that are nearly all dropped make
    /// sums whose terms cancel, and 170 were once too few.
    #[test]
    fn gradients_agree_in_float32(case in cases()) {
        for isa in Isa::available() {
            Case { rule: "sgd", steps: 1, ..case.clone() }.compare::<f32>(isa, 1e-4);
        }
    }

    /// Adam and `RMSProp` divide by a gradient's own size, which makes rounding large where the gradient is next to
    /// nothing: hence the wider bound.
    #[test]
    fn runs_agree(case in cases()) {
        case.compare::<f64>(Isa::detect(), 1e-6);
    }
}

fn corner() -> Case {
    Case {
        input_dim: 70,
        hidden: vec![33, 21],
        num_outputs: 5,
        keep: Some(0.5),
        mask_seed: None,
        reg: 0.01,
        samples: 40,
        batch: 30,
        steps: 3,
        rule: "sgd_momentum",
        threads: 2,
        engine: EngineKind::Thin,
        more: More::COURSE,
    }
}

#[test]
fn empty_corners_agree() {
    let corners = [
        Case { keep: Some(1e-9), ..corner() }, // all is dropped: only biases of the last layer learn
        Case { batch: 1, ..corner() },
        Case { batch: 1, keep: Some(0.05), ..corner() }, // samples that keep no unit
        Case { hidden: vec![1], ..corner() },
        Case { hidden: vec![1, 1, 1], batch: 2, ..corner() },
        Case { hidden: vec![], ..corner() },
        Case { hidden: vec![200], batch: 3, keep: Some(0.05), ..corner() }, // units kept by no sample
        Case { keep: None, ..corner() },
        Case { keep: Some(1.0), ..corner() },
        Case { input_dim: 1, num_outputs: 1, ..corner() },
        Case { batch: 500, ..corner() },
    ];
    for case in corners {
        for engine in [EngineKind::Auto, EngineKind::Dense, EngineKind::Thin] {
            for isa in Isa::available() {
                Case { engine, ..case.clone() }.compare::<f64>(isa, 1e-12);
            }
        }
    }
}

/// Poisson's loss is the exponential of a score, and units that are nearly all dropped are multiplied by 8000.
#[test]
fn a_gradient_past_the_greatest_number_is_seen_on_both_engines() {
    let more =
        More { activation: Activation::Logistic, loss: Loss::Poisson, falling_keep: true, ..More::COURSE };
    let (input_dim, hidden, keep) = (34, vec![12, 3, 73], Some(0.05));
    let sizes = Case { input_dim, hidden, keep, reg: 0.0, samples: 2, batch: 127, steps: 1, ..corner() };
    for engine in [EngineKind::Auto, EngineKind::Thin] {
        Case { rule: "sgd", engine, more: more.clone(), ..sizes.clone() }.compare::<f32>(Isa::detect(), 1e-4);
    }
}

/// The bits of all parameters after 100 steps, and of scores with masks.
fn bits<F: Float>(threads: usize, masks: MaskSource, more: More) -> Vec<u64> {
    let sizes = Case { input_dim: 300, hidden: vec![130, 70], samples: 200, batch: 100, ..corner() };
    let case = Case { rule: "adam", more, ..sizes };
    let mut random = RandomState::new(3);
    let net = case.net::<F>(&mut random);
    let config = EngineConfig { kind: EngineKind::Auto, threads, masks, isa: None };
    let mut engine = Thin::new(&net, case.rule.parse().unwrap(), config).unwrap();
    let (_, parameters, scores, _) = Case { steps: 100, ..case }.run(&mut engine, random);
    let of_parameters =
        parameters.named().iter().flat_map(|(_, array)| array.iter().copied().collect::<Vec<F>>()).collect();
    let all: Vec<F> = [of_parameters, scores.iter().copied().collect::<Vec<F>>()].concat();
    assert!(all.iter().all(|value| value.as_f64().is_finite()));
    all.iter().map(|value| value.as_f64().to_bits()).collect()
}

#[test]
fn bad_input_is_refused() {
    let case = corner();
    let mut random = RandomState::new(1);
    let net = case.net::<f32>(&mut random);
    let rule: Optimiser = "adam".parse().unwrap();
    let config = EngineConfig::course(1);
    for threads in [0, 5000] {
        assert!(Thin::new(&net, rule, EngineConfig { threads, ..config }).is_err());
    }
    assert!(Thin::new(&net, rule.with_learning_rate(f64::NAN), config).is_err());

    let engines: [Box<dyn Engine<f32>>; 2] =
        [Box::new(Thin::new(&net, rule, config).unwrap()), Box::new(Layers::new(net, rule).unwrap())];
    for mut engine in engines {
        let x = Array2::<f32>::zeros((4, 70));
        let mut step = |x: &Array2<f32>, y: &[usize], batch: &[usize]| {
            engine.step(&x.clone().into(), y.into(), batch.into(), &mut random).is_err()
        };
        assert!(step(&x, &[0, 1, 2], &[0]));
        assert!(step(&x, &[0, 1, 2, 3], &[4]));
        assert!(step(&x, &[0, 1, 2, 3], &[]));
        assert!(step(&x, &[0, 1, 2, 5], &[3]));
        assert!(step(&x.select(Axis(1), &[0]), &[0, 1, 2, 3], &[0]));
        assert!(!step(&x, &[0, 1, 2, 3], &[0, 0, 3]));
        assert!(engine.load(&Array2::zeros((4, 69)).into()).is_err());
    }
}
