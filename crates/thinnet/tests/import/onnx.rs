//! ONNX graphs as other programs write them, encoded by hand.

use ndarray::array;
use thinnet::import::{Imported, from_bytes};
use thinnet::layers::{Activation, Normalisation};
use thinnet::training::Task;

use crate::refused;

/// A field of bytes.
fn bytes(field: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![field << 3 | 2];
    let mut length = content.len();
    while length >= 128 {
        out.push(u8::try_from(length % 128).unwrap() | 128);
        length /= 128;
    }
    out.push(u8::try_from(length).unwrap());
    [out, content.to_vec()].concat()
}

fn int(field: u8, number: u8) -> Vec<u8> {
    vec![field << 3, number]
}

/// A constant.
pub(crate) fn constant(name: &str, shape: &[u8], numbers: &[f32]) -> Vec<u8> {
    let raw: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    let dims = shape.iter().flat_map(|&size| int(1, size)).collect();
    bytes(5, &[dims, int(2, 1), bytes(8, name.as_bytes()), bytes(9, &raw)].concat())
}

/// A node; attributes are encoded already.
pub(crate) fn node(operator: &str, inputs: &[&str], output: &str, attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut node: Vec<u8> = inputs.iter().flat_map(|input| bytes(1, input.as_bytes())).collect();
    node.extend(bytes(2, output.as_bytes()));
    node.extend(bytes(4, operator.as_bytes()));
    node.extend(attributes.concat());
    bytes(1, &node)
}

fn float(name: &str, number: f32) -> Vec<u8> {
    let value = [&[2 << 3 | 5][..], &number.to_le_bytes()].concat();
    bytes(5, &[bytes(1, name.as_bytes()), value, vec![0xa0, 1, 1]].concat())
}

fn whole(name: &str, number: u8) -> Vec<u8> {
    bytes(5, &[bytes(1, name.as_bytes()), int(3, number), vec![0xa0, 1, 2]].concat())
}

/// A file with the input X and these parts.
pub(crate) fn file(opset: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let graph = [parts.concat(), bytes(11, &bytes(1, b"X"))].concat();
    [int(1, 8), bytes(7, &graph), bytes(8, &int(2, opset))].concat()
}

/// Constants of 2-3-2: W, b, V and c.
pub(crate) fn constants() -> Vec<u8> {
    [
        constant("W", &[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        constant("Wt", &[3, 2], &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]),
        constant("b", &[3], &[0.5, 0.25, 0.125]),
        constant("V", &[3, 2], &[1.0, -1.0, 2.0, -2.0, 3.0, -3.0]),
        constant("c", &[1, 2], &[7.0, 8.0]),
        constant("one", &[], &[1.0]),
        constant("half", &[], &[0.5]),
        constant("root", &[], &[std::f32::consts::SQRT_2]),
    ]
    .concat()
}

fn read(parts: &[Vec<u8>]) -> Imported {
    from_bytes(&file(17, &[&[constants()], parts].concat()), "file").unwrap()
}

fn check(own: &Imported) {
    let layers = &own.parameters.layers;
    assert_eq!(layers[0].w, array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    assert_eq!(layers[0].b, array![0.5, 0.25, 0.125]);
    assert_eq!(layers[1].w, array![[1.0, -1.0], [2.0, -2.0], [3.0, -3.0]]);
    assert_eq!(layers[1].b, array![7.0, 8.0]);
}

/// `MatMul` and `Add` around an activation, as scikit-learn's converter writes them.
fn around(activation: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut parts = vec![
        node("Cast", &["X"], "x", &[whole("to", 1)]),
        node("MatMul", &["x", "W"], "m", &[]),
        node("Add", &["m", "b"], "z", &[]),
    ];
    parts.extend_from_slice(activation);
    parts.push(node("MatMul", &["a", "V"], "n", &[]));
    parts.push(node("Add", &["c", "n"], "s", &[]));
    parts
}

#[test]
fn chains_of_either_form_are_read() {
    let own = read(&around(&[node("Relu", &["z"], "a", &[])]));
    check(&own);
    assert_eq!((own.activation, own.task, own.scale), (Some(Activation::Relu), None, None));
    let own = read(&[
        node("Flatten", &["X"], "flat", &[]),
        node("Gemm", &["flat", "Wt", "b"], "z", &[whole("transB", 1), float("alpha", 1.0)]),
        node("Tanh", &["z"], "t", &[]),
        node("Dropout", &["t"], "a", &[]),
        node("Gemm", &["a", "V", "c"], "s", &[]),
        node("Softmax", &["s"], "p", &[]),
        node("ArgMax", &["p"], "best", &[]),
        node("Cast", &["best"], "label", &[whole("to", 7)]),
    ]);
    check(&own);
    assert_eq!((own.activation, own.task), (Some(Activation::Tanh), Some(Task::Classification)));
    let own = read(&[
        node("Transpose", &["Wt"], "turned", &[]),
        node("Identity", &["turned"], "weights", &[]),
        node("Gemm", &["X", "weights", "b"], "z", &[float("alpha", 2.0), float("beta", 0.0)]),
    ]);
    assert_eq!(own.parameters.layers[0].w[[0, 0]], 2.0);
    assert_eq!(own.parameters.layers[0].b, array![0.0, 0.0, 0.0]);
}

#[test]
fn activations_are_known_as_operators_and_as_formulas() {
    let plain = |operator: &str| vec![node(operator, &["z"], "a", &[])];
    let erf = [
        node("Div", &["z", "root"], "d", &[]),
        node("Erf", &["d"], "e", &[]),
        node("Add", &["e", "one"], "f", &[]),
    ];
    let torch =
        [&erf[..], &[node("Mul", &["z", "f"], "g", &[]), node("Mul", &["g", "half"], "a", &[])]].concat();
    let silu = vec![node("Sigmoid", &["z"], "q", &[]), node("Mul", &["z", "q"], "a", &[])];
    let mish = vec![
        node("Softplus", &["z"], "q", &[]),
        node("Tanh", &["q"], "r", &[]),
        node("Mul", &["r", "z"], "a", &[]),
    ];
    for (parts, expected) in [
        (plain("Sigmoid"), Activation::Logistic),
        (plain("Softplus"), Activation::Softplus),
        (plain("Mish"), Activation::Mish),
        (plain("Gelu"), Activation::Gelu),
        (plain("Elu"), Activation::Elu),
        (plain("Selu"), Activation::Selu),
        (plain("LeakyRelu"), Activation::LeakyRelu),
        (plain("Identity"), Activation::Identity),
        (vec![node("Elu", &["z"], "a", &[float("alpha", 1.0)])], Activation::Elu),
        (torch, Activation::Gelu),
        (silu, Activation::Silu),
        (mish, Activation::Mish),
    ] {
        let own = read(&around(&parts));
        check(&own);
        assert_eq!(own.activation, Some(expected));
    }
}

#[test]
fn scalings_before_and_after_the_network_are_kept_apart() {
    let own = read(&[
        node("Sub", &["X", "c"], "centred", &[]),
        node("Div", &["centred", "half"], "scaled", &[]),
        node("Gemm", &["scaled", "W", "b"], "z", &[]),
        node("Relu", &["z"], "a", &[]),
        node("Gemm", &["a", "V", "c"], "s", &[]),
        node("Mul", &["s", "half"], "t", &[]),
        node("Add", &["t", "c"], "variable", &[]),
    ]);
    check(&own);
    let (scale, targets) = (own.scale.unwrap(), own.targets.unwrap());
    assert_eq!((scale.mean, scale.deviation), (vec![7.0, 8.0], Some(vec![0.5, 0.5])));
    assert_eq!((targets.mean, targets.deviation), (vec![7.0, 8.0], Some(vec![0.5, 0.5])));
    assert_eq!(own.task, Some(Task::Regression));
}

#[test]
fn normalisations_stay() {
    let own = read(&around(&[
        node("BatchNormalization", &["z", "b", "b", "b", "b"], "y", &[]),
        node("Relu", &["y"], "a", &[]),
    ]));
    check(&own);
    assert_eq!(own.normalisation, Normalisation::Batch);
    assert_eq!(own.running[0].variance, array![0.5, 0.25, 0.125]);
    let own = read(&around(&[
        node("LayerNormalization", &["z", "b", "b"], "y", &[]),
        node("Relu", &["y"], "a", &[]),
    ]));
    assert_eq!(own.normalisation, Normalisation::Layer);
}

#[test]
fn what_is_not_read_is_named_with_its_place() {
    let not = |parts: &[Vec<u8>], says: &str| {
        let text = refused(&file(17, &[&[constants()], parts].concat()));
        assert!(text.contains(says), "{says}: {text}");
    };
    not(&[node("Conv", &["X", "W"], "conv7", &[])], "its node \"conv7\" (Conv)");
    not(&around(&[node("HardSigmoid", &["z"], "a", &[])]), "its node \"a\" (HardSigmoid)");
    not(&around(&[node("LeakyRelu", &["z"], "a", &[float("alpha", 0.3)])]), "alpha = 0.3");
    not(&around(&[node("Relu", &["nowhere"], "a", &[])]), "takes nowhere");
    not(&around(&[node("Relu", &["m"], "a", &[])]), "only one chain of layers");
    not(&[node("Relu", &["X"], "a", &[]), node("MatMul", &["a", "W"], "m", &[])], "before the first layer");
    not(&[node("MatMul", &["X", "b"], "m", &[])], "its node \"m\" (MatMul)");
    not(&[node("MatMul", &["X", "W"], "m", &[]), node("MatMul", &["m", "W"], "n", &[])], "no chain");
    let last = [around(&[node("Relu", &["z"], "a", &[])]), vec![node("Tanh", &["s"], "end", &[])]].concat();
    not(&last, "its node \"end\" applies tanh to the last layer");
    let two = around(&[node("Relu", &["z"], "r", &[]), node("Tanh", &["r"], "a", &[])]);
    not(&two, "does not fit its place");
    assert!(refused(&file(99, &[node("Relu", &["X"], "a", &[])])).contains("operators of ONNX (opset) 99"));
    let newer = [int(1, 99), file(17, &[node("Relu", &["X"], "a", &[])])[2..].to_vec()].concat();
    assert!(refused(&newer).contains("IR version"), "{}", refused(&newer));
    let nan = [constant("W", &[1, 2], &[1.0, f32::NAN]), node("MatMul", &["X", "W"], "m", &[])];
    assert!(refused(&file(17, &nan)).contains("not finite"));
    let short = [constant("W", &[100, 100], &[1.0, 2.0]), node("MatMul", &["X", "W"], "m", &[])];
    assert!(refused(&file(17, &short)).contains("but 2 numbers"));
    let elsewhere = bytes(5, &[int(1, 2), int(2, 1), bytes(8, b"W"), vec![14 << 3, 1]].concat());
    let text = refused(&file(17, &[elsewhere, node("MatMul", &["X", "W"], "m", &[])]));
    assert!(text.contains("in another file"), "{text}");
    assert!(
        refused(&file(17, &[bytes(11, &bytes(1, b"Y")), node("Relu", &["X"], "a", &[])]))
            .contains("2 inputs")
    );
}

#[test]
fn a_short_file_takes_little_memory_and_time() {
    // Empty nodes, two bytes each, and a constant that is taken again and again.
    let text = refused(&file(17, &[[0x0a, 0].repeat(1 << 18)]));
    assert!(text.contains("more than 131072 parts"), "{text}");
    let square = constant("S", &[100, 100], &vec![0.001; 10_000]);
    let mut parts = vec![square];
    let names: Vec<String> = (0..100).map(|index| format!("n{index}")).collect();
    for pair in names.windows(2) {
        parts.push(node("MatMul", &[if pair[0] == "n0" { "X" } else { &pair[0] }, "S"], &pair[1], &[]));
    }
    let text = refused(&file(17, &parts));
    assert!(text.contains("again and again"), "{text}");
}
