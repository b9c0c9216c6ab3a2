//! The messages of ONNX, by the field numbers of its `onnx.proto` (IR version 14): what this importer reads of them, what
//! says nothing about the numbers that come out, and the rest, which is refused.

use anyhow::{Context, Result, bail, ensure};
use half::{bf16, f16};

use super::array::{Array, MOST_AXES};
use super::wire::{Fields, Wire};

/// Most nodes, and most initializers: a recurrent network has some dozens.
const MOST_OF_A_KIND: usize = 10_000;

/// A `ModelProto`.
#[derive(Debug, Default)]
pub struct Model<'a> {
    /// Versions of the operators, by domain.
    pub opsets: Vec<(&'a str, i64)>,
    /// Its graph.
    pub graph: Graph<'a>,
}

impl<'a> Model<'a> {
    /// Reads a file.
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let (mut model, mut is_there) = (Self::default(), false);
        for field in Fields::new(bytes) {
            let (number, wire) = field?;
            match number {
                // Versions of the container and the producer's names for its work.
                1..=6 | 14 => {}
                7 => {
                    is_there = true;
                    model.graph.read(wire.bytes()?).context("graph")?;
                }
                8 => model.opsets.push(opset(wire.bytes()?).context("opset_import")?),
                20 => bail!("training_info: a graph for training"),
                25 => bail!("functions: operators of the file's own"),
                26 => bail!("configuration: a model shared out over devices"),
                _ => bail!("field {number} of the model: no such field is known"),
            }
        }
        ensure!(is_there, "no graph: not an ONNX file");
        Ok(model)
    }
}

fn opset(bytes: &[u8]) -> Result<(&str, i64)> {
    let (mut domain, mut version) = ("", 0);
    for field in Fields::new(bytes) {
        match field? {
            (1, wire) => domain = wire.text()?,
            (2, wire) => version = wire.int()?,
            (number, _) => bail!("field {number}: no such field is known"),
        }
    }
    Ok((domain, version))
}

/// A `GraphProto`.
#[derive(Debug, Default)]
pub struct Graph<'a> {
    /// What it computes, in this order.
    pub nodes: Vec<Node<'a>>,
    /// Its constants.
    pub initializers: Vec<Tensor<'a>>,
    /// What it is given; may name initializers too.
    pub inputs: Vec<Input<'a>>,
    /// The names of what it gives.
    pub outputs: Vec<&'a str>,
}

impl<'a> Graph<'a> {
    /// A graph that comes in pieces goes on with each.
    fn read(&mut self, bytes: &'a [u8]) -> Result<()> {
        for field in Fields::new(bytes) {
            let (number, wire) = field?;
            match number {
                1 => self.nodes.push(Node::read(wire.bytes()?).context("node")?),
                5 => self.initializers.push(Tensor::read(wire.bytes()?).context("initializer")?),
                11 => self.inputs.push(Input::read(wire.bytes()?).context("input")?),
                12 => self.outputs.push(Input::read(wire.bytes()?).context("output")?.name),
                // Its name, its description, types of what is between, and notes.
                2 | 10 | 13 | 16 => {}
                14 => bail!("quantization_annotation: quantized tensors"),
                15 => bail!("sparse_initializer: sparse weights"),
                _ => bail!("field {number}: no such field is known"),
            }
            let most = [self.nodes.len(), self.initializers.len(), self.inputs.len(), self.outputs.len()];
            ensure!(most.iter().all(|&len| len <= MOST_OF_A_KIND), "more than {MOST_OF_A_KIND} of a kind");
        }
        Ok(())
    }
}

/// A `NodeProto`.
#[derive(Clone, Debug, Default)]
pub struct Node<'a> {
    /// Its name; may be empty.
    pub name: &'a str,
    /// What it does.
    pub op: &'a str,
    /// Whose operator that is; empty for ONNX's own.
    pub domain: &'a str,
    /// Names of what it takes; an empty one for what it is not given.
    pub inputs: Vec<&'a str>,
    /// Names of what it gives.
    pub outputs: Vec<&'a str>,
    /// Its `AttributeProto`s.
    pub attributes: Vec<&'a [u8]>,
}

impl<'a> Node<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self> {
        /// A hostile node could be all names. Concat and Split have one a piece.
        const MOST: usize = 256;
        let mut node = Self::default();
        for field in Fields::new(bytes) {
            let (number, wire) = field?;
            match number {
                1 => node.inputs.push(wire.text()?),
                2 => node.outputs.push(wire.text()?),
                3 => node.name = wire.text()?,
                4 => node.op = wire.text()?,
                5 => node.attributes.push(wire.bytes()?),
                7 => node.domain = wire.text()?,
                // Its description and notes.
                6 | 9 => {}
                8 => ensure!(wire.text()?.is_empty(), "overload: an operator of the file's own"),
                10 => bail!("device_configurations: a node shared out over devices"),
                _ => bail!("field {number}: no such field is known"),
            }
            let most = [node.inputs.len(), node.outputs.len(), node.attributes.len()];
            ensure!(most.iter().all(|&len| len <= MOST), "{}: more than {MOST} of a kind", node.name);
        }
        Ok(node)
    }
}

/// A `ValueInfoProto`: something that the graph is given, or gives.
#[derive(Clone, Debug, Default)]
pub struct Input<'a> {
    /// Its name.
    pub name: &'a str,
    /// The code of its type.
    pub element: i64,
    /// Lengths of its axes, those that are fixed; nothing if the file does not say.
    pub shape: Option<Vec<Option<usize>>>,
}

impl<'a> Input<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut input = Self::default();
        for field in Fields::new(bytes) {
            match field? {
                (1, wire) => input.name = wire.text()?,
                (2, wire) => {
                    for field in Fields::new(wire.bytes()?) {
                        match field? {
                            (1, wire) => input.read_type(wire.bytes()?).context("type")?,
                            // What the axes stand for.
                            (6, _) => {}
                            _ => bail!("{}: its type is not that of a tensor", input.name),
                        }
                    }
                }
                // Its description and notes.
                (3 | 4, _) => {}
                (number, _) => bail!("{}: field {number}: no such field is known", input.name),
            }
        }
        Ok(input)
    }

    fn read_type(&mut self, bytes: &[u8]) -> Result<()> {
        for field in Fields::new(bytes) {
            match field? {
                (1, wire) => self.element = wire.int()?,
                (2, wire) => {
                    let mut shape = Vec::new();
                    for field in Fields::new(wire.bytes()?) {
                        let (number, wire) = field?;
                        ensure!(number == 1, "field {number} of a shape: no such field is known");
                        shape.push(dimension(wire.bytes()?)?);
                        ensure!(shape.len() <= MOST_AXES, "{}: more than {MOST_AXES} axes", self.name);
                    }
                    self.shape = Some(shape);
                }
                (number, _) => bail!("field {number}: no such field is known"),
            }
        }
        Ok(())
    }
}

/// Its length if that is fixed. Some exporters write 0 or -1 for lengths that are not.
fn dimension(bytes: &[u8]) -> Result<Option<usize>> {
    let mut len = None;
    for field in Fields::new(bytes) {
        match field? {
            (1, wire) => len = usize::try_from(wire.int()?).ok().filter(|&len| len > 0),
            (2 | 3, _) => {}
            (number, _) => bail!("field {number} of an axis: no such field is known"),
        }
    }
    Ok(len)
}

/// A `TensorProto`, its numbers not yet read.
#[derive(Clone, Debug, Default)]
pub struct Tensor<'a> {
    /// Its name.
    pub name: &'a str,
    /// Lengths of its axes.
    pub shape: Vec<usize>,
    /// The code of its type.
    pub element: i64,
    body: &'a [u8],
}

/// Codes of the types that are read.
pub mod element {
    pub const FLOAT: i64 = 1;
    pub const INT32: i64 = 6;
    pub const INT64: i64 = 7;
    pub const BOOL: i64 = 9;
    pub const FLOAT16: i64 = 10;
    pub const DOUBLE: i64 = 11;
    pub const BFLOAT16: i64 = 16;

    /// Whether it is one of the floats.
    pub fn is_float(element: i64) -> bool {
        [FLOAT, FLOAT16, DOUBLE, BFLOAT16].contains(&element)
    }

    /// Whether it is one of the integers that shapes and ids are of.
    pub fn is_int(element: i64) -> bool {
        [INT32, INT64].contains(&element)
    }
}

/// The numbers of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    /// Weights.
    Floats(Array<f32>),
    /// A shape or places; bools are 0 and 1.
    Ints(Array<i64>),
}

impl<'a> Tensor<'a> {
    /// Reads what is said of the numbers.
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut tensor = Self { body: bytes, ..Self::default() };
        for field in Fields::new(bytes) {
            let (number, wire) = field?;
            match number {
                1 => wire.each_int(|len| {
                    ensure!(tensor.shape.len() < MOST_AXES, "more than {MOST_AXES} axes");
                    tensor
                        .shape
                        .push(usize::try_from(len).ok().with_context(|| format!("an axis of {len}"))?);
                    Ok(())
                })?,
                2 => tensor.element = wire.int()?,
                8 => tensor.name = wire.text()?,
                // Its description and notes, and the numbers.
                4..=7 | 9..=12 | 16 => {}
                3 => bail!("segment: a tensor in pieces"),
                13 => bail!("{}: external_data: weights in another file", tensor.name),
                14 => ensure!(wire.int()? == 0, "{}: data_location: weights in another file", tensor.name),
                _ => bail!("{}: field {number}: no such field is known", tensor.name),
            }
        }
        Ok(tensor)
    }

    /// How many numbers its shape speaks of.
    pub fn len(&self) -> Option<usize> {
        self.shape.iter().try_fold(1usize, |len, &axis| len.checked_mul(axis))
    }

    /// The numbers.
    ///
    /// # Errors
    /// Another number of them than the shape says, or a type that is not read.
    pub fn constant(&self) -> Result<Constant> {
        let floats = |values| Ok(Constant::Floats(Array::new(self.shape.clone(), values)?));
        let ints = |values| Ok(Constant::Ints(Array::new(self.shape.clone(), values)?));
        let half = |bits: i64| u16::try_from(bits).ok().context("no number of 16 bits");
        match self.element {
            element::FLOAT => {
                floats(self.numbers(4, f32::from_le_bytes, |wire, each| wire.each_float(each))?)
            }
            element::DOUBLE => floats(self.numbers(
                10,
                |bytes| f64::from_le_bytes(bytes) as f32,
                |wire, each| wire.each_double(|value| each(value as f32)),
            )?),
            element::FLOAT16 => floats(self.numbers(
                5,
                |bytes| f16::from_le_bytes(bytes).to_f32(),
                |wire, each| wire.each_int(|bits| each(f16::from_bits(half(bits)?).to_f32())),
            )?),
            element::BFLOAT16 => floats(self.numbers(
                5,
                |bytes| bf16::from_le_bytes(bytes).to_f32(),
                |wire, each| wire.each_int(|bits| each(bf16::from_bits(half(bits)?).to_f32())),
            )?),
            element::INT64 => ints(self.numbers(7, i64::from_le_bytes, |wire, each| wire.each_int(each))?),
            element::INT32 => ints(self.numbers(
                5,
                |bytes| i32::from_le_bytes(bytes).into(),
                |wire, each| wire.each_int(each),
            )?),
            element::BOOL => {
                ints(self.numbers(5, |[byte]| (byte != 0).into(), |wire, each| wire.each_int(each))?)
            }
            other => bail!("numbers of type {other}: neither floats nor INT64, INT32 or BOOL"),
        }
    }

    /// Those in the field `number`, which has its own way of holding them, or in `raw_data` with `N` bytes each, little-endian.
    fn numbers<T, const N: usize>(
        &self,
        number: u64,
        of_bytes: impl Fn([u8; N]) -> T,
        read: impl Fn(Wire<'_>, &mut dyn FnMut(T) -> Result<()>) -> Result<()>,
    ) -> Result<Vec<T>> {
        let expected = self.len().context("a shape beyond all memory")?;
        let mut values = Vec::new();
        for field in Fields::new(self.body) {
            match field? {
                (found, wire) if found == number => read(wire, &mut |value| {
                    ensure!(values.len() < expected, "more than the {expected} values of its shape");
                    values.push(value);
                    Ok(())
                })?,
                (9, wire) => {
                    let (raw, rest) = wire.bytes()?.as_chunks::<N>();
                    ensure!(
                        values.is_empty() && rest.is_empty() && raw.len() == expected,
                        "raw_data: {} values, expected {expected}",
                        raw.len()
                    );
                    values.extend(raw.iter().map(|&bytes| of_bytes(bytes)));
                }
                (4..=7 | 10 | 11, _) => bail!("numbers of another type than the tensor's"),
                _ => {}
            }
        }
        ensure!(values.len() == expected, "{} values, expected {expected}", values.len());
        Ok(values)
    }
}
