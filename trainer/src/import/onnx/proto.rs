//! The messages of ONNX, by the field numbers of its `onnx.proto` (IR version 14): what this importer reads of them, what
//! says nothing about the numbers that come out, and the rest, which is refused.

use anyhow::{Context, Result, bail, ensure};

use super::array::MOST_AXES;
use super::tensor::Tensor;
use super::wire::Fields;

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
