//! NumPy's legacy stream, draw for draw.
#![allow(clippy::unwrap_used, clippy::panic, clippy::float_cmp)] // a test fails by panic; draws are bitwise

use std::collections::HashSet;

use ndarray::{Array1, Array2, Array3, ShapeBuilder};
use thinnet::Error;
use thinnet::random::{RandomState, State};

/// Draws what the golden file's `call` names. Integers become floats, exactly.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // the calls' arguments are small integers
fn draw(random: &mut RandomState, call: &str) -> Vec<f64> {
    let (name, arguments) = call.trim_end_matches(')').split_once('(').unwrap();
    let arguments: Vec<f64> = arguments
        .split(", ")
        .map(|text| text.trim_start_matches("size=").trim_start_matches("arange(").parse().unwrap())
        .collect();
    let indices = |values: Vec<usize>| values.into_iter().map(|value| value as f64).collect();
    let integers = |values: Vec<i64>| values.into_iter().map(|value| value as f64).collect();
    match (name, arguments.as_slice()) {
        ("random_sample", &[n]) => random.rand(n as usize).to_vec(),
        ("randn", &[n]) => random.randn(n as usize).to_vec(),
        ("randint", &[high, n]) => integers(random.randint(0, high as i64, n as usize).unwrap()),
        ("randint", &[low, high, n]) => {
            integers(random.randint(low as i64, high as i64, n as usize).unwrap())
        }
        ("choice", &[population, n]) => indices(random.choice(population as usize, n as usize).unwrap()),
        ("permutation", &[n]) => indices(random.permutation(n as usize)),
        ("shuffle", &[n]) => {
            let mut values: Vec<usize> = (0..n as usize).collect();
            random.shuffle(&mut values);
            indices(values)
        }
        ("uniform", &[low, high, n]) => (0..n as usize).map(|_| random.uniform(low, high)).collect(),
        ("normal", &[loc, scale, n]) => (0..n as usize).map(|_| random.normal(loc, scale)).collect(),
        _ => panic!("the golden file has a call that this test does not know: {call}"),
    }
}

#[test]
fn every_golden_draw_is_bitwise_numpys() {
    let golden: serde_json::Value =
        serde_json::from_str(include_str!("golden/numpy_random_state.json")).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let seed = u32::try_from(case["seed"].as_u64().unwrap()).unwrap();
        let mut random = RandomState::new(seed);
        let calls = case["calls"].as_array().unwrap();
        assert_eq!(calls.len(), 12);
        for call in calls {
            let name = call["call"].as_str().unwrap();
            let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            let expected: Vec<f64> =
                call["value"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
            let got = draw(&mut random, name);
            assert_eq!(bits(&got), bits(&expected), "seed {seed}, {name}: {got:?}, NumPy has {expected:?}");
        }
    }
}

/// NumPy 2.4.6:
/// ```python
/// r = np.random.RandomState(7)
/// r.randint(-2**62, 2**62, size=3); r.randint(-2**63, 2**63 - 1, size=3)
/// r.randint(0, 2**32, size=2); r.randint(0, 2**32 - 1, size=2); r.randint(0, 2**32 + 1, size=2)
/// r.randint(0, 2**40, size=2)
/// r.randint(5, 6, size=3); r.random_sample()
/// r.choice(20, 6, replace=False); r.permutation(1); r.permutation(0); r.random_sample()
/// r.randn(3); r.get_state(); r.randn(2); r.random_sample()
/// ```
#[test]
fn wide_integers_and_states_are_numpys() {
    let mut random = RandomState::new(7);
    let mut randint = |low, high, count| random.randint(low, high, count).unwrap();
    assert_eq!(
        randint(-(1 << 62), 1 << 62, 3),
        [-3_204_046_499_487_750_972, 551_904_368_352_831_990, 3_475_536_756_154_880_211]
    );
    assert_eq!(
        randint(i64::MIN, i64::MAX, 3),
        [4_122_204_982_959_224_423, 8_817_350_276_967_689_401, 710_123_494_352_685_591]
    );
    assert_eq!(randint(0, 1 << 32, 2), [2_152_296_008, 372_560_217]);
    assert_eq!(randint(0, (1 << 32) - 1, 2), [309_457_262, 1_801_189_930]);
    assert_eq!(randint(0, (1 << 32) + 1, 2), [68_334_472, 3_731_473_840]);
    assert_eq!(randint(0, 1 << 40, 2), [546_881_790_343, 740_422_049_280]);
    // One possible value draws nothing.
    assert_eq!(randint(5, 6, 3), [5, 5, 5]);
    assert_eq!(random.random_sample(), 0.065_936_346_905_905_11);
    assert_eq!(random.choice_without_replacement(20, 6).unwrap(), [18, 7, 15, 14, 17, 3]);
    assert_eq!(random.permutation(1), [0]);
    assert_eq!(random.permutation(0), [0; 0]);
    assert_eq!(random.random_sample(), 0.467_752_859_744_980_7);
    assert_eq!(
        random.randn(3),
        Array1::from(vec![-0.045_386_029_860_646_09, -1.450_678_699_146_574_8, -0.405_227_855_427_686_7])
    );
    let State { key, position, cached_normal } = random.state();
    assert_eq!(key[..4], [2_022_286_329, 1_444_425_037, 2_858_264_774, 1_581_888_170]);
    assert_eq!((key.len(), position, cached_normal), (624, 68, Some(-2.288_315_101_971_722_5)));
    assert_eq!(random.randn(2), Array1::from(vec![-2.288_315_101_971_722_5, 1.049_396_549_343_254_7]));
    assert_eq!(random.random_sample(), 0.768_647_506_519_509_3);
}

/// NumPy 2.4.6: `r = np.random.RandomState(7); r.randn(1); r.seed(7); r.randn(1)`.
#[test]
fn seeding_forgets_the_cached_normal() {
    let mut random = RandomState::new(7);
    random.standard_normal();
    assert!(random.state().cached_normal.is_some());
    random.seed(7);
    assert_eq!(random.state(), RandomState::new(7).state());
    assert_eq!(random.standard_normal(), 1.690_525_703_800_356);
}

#[test]
fn a_saved_state_continues_identically() {
    // An odd number of normals leaves one cached; 700 words have passed a refill of the key.
    for (normals, uniforms) in [(0, 0), (1, 0), (2, 311), (3, 350), (7, 624)] {
        let mut random = RandomState::new(42);
        random.rand(uniforms);
        random.randn(normals);
        let state = random.state();
        assert_eq!(state.cached_normal.is_some(), normals % 2 == 1);
        let text = serde_json::to_string(&state).unwrap();
        let read: State = serde_json::from_str(&text).unwrap();
        assert_eq!(read, state);
        let mut restored = RandomState::from_state(&read).unwrap();
        let mut clone = random.clone();
        let expected = (random.randn(3), random.rand(400), random.permutation(50), random.state());
        for other in [&mut restored, &mut clone] {
            let got = (other.randn(3), other.rand(400), other.permutation(50), other.state());
            assert_eq!(got, expected);
        }
    }
}

/// A parser of floats that is not correctly rounded loses the last bit of about one value in ten.
#[test]
fn states_survive_json_to_the_last_bit() {
    let mut random = RandomState::new(5);
    for _ in 0..300 {
        random.randn(1);
        let state = random.state();
        let read: State = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
        assert_eq!(read.cached_normal.map(f64::to_bits), state.cached_normal.map(f64::to_bits));
        random.randn(1);
    }
}

#[test]
fn states_that_are_none_are_refused() {
    let good = RandomState::new(1).state();
    for length in [0, 623, 625] {
        let state = State { key: vec![1; length], ..good.clone() };
        let message = RandomState::from_state(&state).unwrap_err().to_string();
        assert!(message.contains(&format!("not {length}")), "{message}");
    }
    assert!(RandomState::from_state(&State { position: 624, ..good.clone() }).is_ok());
    assert!(RandomState::from_state(&State { position: 0, ..good.clone() }).is_ok());
    let message = RandomState::from_state(&State { position: 625, ..good }).unwrap_err().to_string();
    assert!(message.contains("not 625"), "{message}");
}

#[test]
fn draws_that_cannot_be_are_refused_and_draw_nothing() {
    let mut random = RandomState::new(3);
    let before = random.state();
    assert!(matches!(random.randint(3, 3, 1), Err(Error::Configuration { .. })));
    assert!(matches!(random.randint(4, 3, 0), Err(Error::Configuration { .. })));
    assert!(matches!(random.choice(0, 1), Err(Error::Configuration { .. })));
    assert!(matches!(random.choice_without_replacement(3, 4), Err(Error::Configuration { .. })));
    assert_eq!(random.choice(0, 0).unwrap(), [0; 0]);
    assert_eq!(random.choice(1, 4).unwrap(), [0; 4]);
    assert_eq!(random.choice_without_replacement(0, 0).unwrap(), [0; 0]);
    assert_eq!(random.randint(i64::MAX - 1, i64::MAX, 2).unwrap(), [i64::MAX - 1; 2]);
    assert_eq!(random.rand((0, 5)).dim(), (0, 5));
    random.shuffle::<u8>(&mut []);
    random.shuffle(&mut ["one"]);
    assert_eq!(random.state(), before);
}

#[test]
fn choice_without_replacement_gives_different_values() {
    let mut random = RandomState::new(11);
    for population in [1, 2, 7, 100] {
        let mut seen = vec![0; population];
        for count in 0..=population {
            let chosen = random.choice_without_replacement(population, count).unwrap();
            assert_eq!(chosen.len(), count);
            assert_eq!(chosen.iter().collect::<HashSet<_>>().len(), count);
            for index in chosen {
                seen[index] += 1;
            }
        }
        assert!(seen.iter().all(|&times| times > 0)); // an index beyond the population would have panicked
    }
}

#[test]
fn arrays_are_filled_in_row_major_order_whatever_their_layout() {
    let flat = RandomState::new(8).rand(24).to_vec();
    let cube: Array3<f64> = RandomState::new(8).rand((2, 3, 4));
    assert_eq!(cube.iter().copied().collect::<Vec<_>>(), flat);
    // The shape of an array that lies in memory column by column.
    let columns: Array2<f64> = Array2::zeros((3, 8).f());
    let same: Array2<f64> = RandomState::new(8).rand(columns.raw_dim());
    assert_eq!(same.iter().copied().collect::<Vec<_>>(), flat);
}
