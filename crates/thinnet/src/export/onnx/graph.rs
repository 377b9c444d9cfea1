//! A graph that grows node by node: names that are used once, constants, inputs and outputs.

use std::collections::HashSet;

use super::messages::{
    AttributeProto, Dimension, GraphProto, Kind, Map, NodeProto, Sequence, Size, Tensor, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto,
};

/// The domain of the operators for classical models.
pub(super) const ML: &str = "ai.onnx.ml";

/// The outputs' names. No input and no node has them.
pub(super) const LABEL: &str = "label";
pub(super) const PROBABILITIES: &str = "probabilities";
pub(super) const VARIABLE: &str = "variable";
pub(super) const DEVIATION: &str = "std";

/// The number of samples, which is known when the model runs.
const SAMPLES: &str = "N";

/// A graph in the making. A value is known by its name.
#[derive(Debug)]
pub(super) struct Graph {
    taken: HashSet<String>,
    proto: GraphProto,
}

impl Graph {
    pub(super) fn new() -> Self {
        let taken = [LABEL, PROBABILITIES, VARIABLE, DEVIATION, ""].map(str::to_owned).into();
        Self { taken, proto: GraphProto { name: "thinnet".to_owned(), ..GraphProto::default() } }
    }

    /// The finished graph.
    pub(super) fn finish(self, doc_string: String) -> GraphProto {
        GraphProto { doc_string, ..self.proto }
    }

    /// Whether a node is of [`ML`].
    pub(super) fn has_ml(&self) -> bool {
        self.proto.node.iter().any(|node| node.domain == ML)
    }

    /// This name, or one like it that is free.
    fn fresh(&mut self, name: &str) -> String {
        let mut own = name.to_owned();
        let mut number = 1;
        while !self.taken.insert(own.clone()) {
            number += 1;
            own = format!("{name}_{number}");
        }
        own
    }

    /// An input (N, sizes).
    ///
    /// - `kind`: the type of its numbers, such as [`TensorProto::FLOAT`]
    pub(super) fn input(&mut self, name: &str, kind: i32, sizes: &[usize], doc: &str) -> String {
        let name = self.fresh(if name.is_empty() { "column" } else { name });
        self.proto.input.push(info(&name, tensor(kind, sizes), doc));
        name
    }

    /// The result of a node, which has this name if it is free.
    pub(super) fn node(
        &mut self,
        operator: &str,
        name: &str,
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
    ) -> String {
        let output = self.fresh(name);
        self.push("", operator, &output, inputs, attributes);
        output
    }

    /// The result of a node of [`ML`].
    pub(super) fn ml_node(
        &mut self,
        operator: &str,
        name: &str,
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
    ) -> String {
        let output = self.fresh(name);
        self.push(ML, operator, &output, inputs, attributes);
        output
    }

    /// The values as another type.
    pub(super) fn cast(&mut self, name: &str, value: &str, kind: i32) -> String {
        self.node("Cast", name, &[value], vec![AttributeProto::int("to", i64::from(kind))])
    }

    /// Both results of a node that has two.
    pub(super) fn node_of_two(
        &mut self,
        operator: &str,
        names: [&str; 2],
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
    ) -> [String; 2] {
        let second = self.fresh(names[1]);
        let first = self.node(operator, names[0], inputs, attributes);
        if let Some(node) = self.proto.node.last_mut() {
            node.output.push(second.clone());
        }
        [first, second]
    }

    /// Gives a value the name of an output (N, sizes).
    pub(super) fn output(&mut self, name: &str, value: &str, kind: i32, sizes: &[usize], doc: &str) {
        self.push("", "Identity", name, &[value], Vec::new());
        self.proto.output.push(info(name, tensor(kind, sizes), doc));
    }

    /// The output of a sequence with a map for each sample, from labels to the columns of `value` (N, C).
    ///
    /// - `kind`: the type of the labels
    pub(super) fn output_maps(&mut self, value: &str, kind: i32, labels: AttributeProto, doc: &str) {
        self.push(ML, "ZipMap", PROBABILITIES, &[value], vec![labels]);
        let number = TypeProto {
            value: Some(Kind::Tensor(Tensor {
                elem_type: TensorProto::FLOAT,
                shape: Some(TensorShapeProto::default()),
            })),
        };
        let map = Map { key_type: kind, value_type: Some(Box::new(number)) };
        let map = TypeProto { value: Some(Kind::Map(Box::new(map))) };
        let sequence = Kind::Sequence(Box::new(Sequence { elem_type: Some(Box::new(map)) }));
        self.proto.output.push(info(PROBABILITIES, TypeProto { value: Some(sequence) }, doc));
    }

    fn push(
        &mut self,
        domain: &str,
        operator: &str,
        output: &str,
        inputs: &[&str],
        attribute: Vec<AttributeProto>,
    ) {
        self.proto.node.push(NodeProto {
            input: inputs.iter().map(|&name| name.to_owned()).collect(),
            output: vec![output.to_owned()],
            name: output.to_owned(),
            op_type: operator.to_owned(),
            attribute,
            domain: domain.to_owned(),
        });
    }

    /// A constant of 32-bit floats; the numbers are rounded.
    pub(super) fn floats(
        &mut self,
        name: &str,
        sizes: &[usize],
        numbers: impl IntoIterator<Item = f64>,
    ) -> String {
        #[allow(clippy::cast_possible_truncation, reason = "they are rounded")]
        let bytes = numbers.into_iter().flat_map(|number| (number as f32).to_le_bytes()).collect();
        self.numbers(name, TensorProto::FLOAT, sizes, bytes)
    }

    /// A constant of 64-bit floats.
    pub(super) fn doubles(
        &mut self,
        name: &str,
        sizes: &[usize],
        numbers: impl IntoIterator<Item = f64>,
    ) -> String {
        let bytes = numbers.into_iter().flat_map(f64::to_le_bytes).collect();
        self.numbers(name, TensorProto::DOUBLE, sizes, bytes)
    }

    /// A constant of 16-bit floats, given by their bits.
    pub(super) fn halves(
        &mut self,
        name: &str,
        sizes: &[usize],
        bits: impl IntoIterator<Item = u16>,
    ) -> String {
        let bytes = bits.into_iter().flat_map(u16::to_le_bytes).collect();
        self.numbers(name, TensorProto::FLOAT16, sizes, bytes)
    }

    /// A constant of whole numbers of 8 bits.
    pub(super) fn bytes(
        &mut self,
        name: &str,
        sizes: &[usize],
        numbers: impl IntoIterator<Item = i8>,
    ) -> String {
        let bytes = numbers.into_iter().flat_map(i8::to_le_bytes).collect();
        self.numbers(name, TensorProto::INT8, sizes, bytes)
    }

    /// A constant of whole numbers.
    pub(super) fn ints(
        &mut self,
        name: &str,
        sizes: &[usize],
        numbers: impl IntoIterator<Item = i64>,
    ) -> String {
        let bytes = numbers.into_iter().flat_map(i64::to_le_bytes).collect();
        self.numbers(name, TensorProto::INT64, sizes, bytes)
    }

    /// The constant true.
    pub(super) fn truth(&mut self, name: &str) -> String {
        self.numbers(name, TensorProto::BOOL, &[], vec![1])
    }

    fn numbers(&mut self, name: &str, data_type: i32, sizes: &[usize], bytes: Vec<u8>) -> String {
        self.constant(TensorProto {
            dims: dims(sizes),
            data_type,
            name: name.to_owned(),
            raw_data: Some(bytes),
            ..TensorProto::default()
        })
    }

    /// A constant vector of words.
    pub(super) fn words(&mut self, name: &str, words: &[String]) -> String {
        self.constant(TensorProto {
            dims: dims(&[words.len()]),
            data_type: TensorProto::STRING,
            name: name.to_owned(),
            string_data: words.iter().map(|word| word.clone().into_bytes()).collect(),
            ..TensorProto::default()
        })
    }

    fn constant(&mut self, tensor: TensorProto) -> String {
        let name = self.fresh(&tensor.name);
        self.proto.initializer.push(TensorProto { name: name.clone(), ..tensor });
        name
    }

    /// Says more about the latest constant.
    pub(super) fn explain(&mut self, doc: &str) {
        if let Some(constant) = self.proto.initializer.last_mut() {
            doc.clone_into(&mut constant.doc_string);
        }
    }
}

/// A size as ONNX has it; memory holds no larger ones.
fn size(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn dims(sizes: &[usize]) -> Vec<i64> {
    sizes.iter().copied().map(size).collect()
}

/// The type of an array (N, sizes).
fn tensor(elem_type: i32, sizes: &[usize]) -> TypeProto {
    let samples = Dimension { value: Some(Size::Param(SAMPLES.to_owned())) };
    let sizes = sizes.iter().map(|&own| Dimension { value: Some(Size::Value(size(own))) });
    let shape = TensorShapeProto { dim: std::iter::once(samples).chain(sizes).collect() };
    TypeProto { value: Some(Kind::Tensor(Tensor { elem_type, shape: Some(shape) })) }
}

fn info(name: &str, kind: TypeProto, doc: &str) -> ValueInfoProto {
    ValueInfoProto { name: name.to_owned(), r#type: Some(kind), doc_string: doc.to_owned() }
}
