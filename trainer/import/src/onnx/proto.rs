//! The messages of ONNX, by the field numbers of `onnx.proto` (IR version 14). Fields that the import needs
//! are read, fields without influence on the result are skipped, and all others are rejected.

use anyhow::{Context, Result, bail, ensure};

use super::array::MAX_AXES;
use super::tensor::TensorProto;
use super::wire::Fields;

/// The maximum number of nodes, and of initializers: a recurrent network has some dozens.
const MAX_ENTRIES: usize = 10_000;

/// A `ModelProto`.
#[derive(Debug, Default)]
pub struct ModelProto<'a> {
    /// The name of the program that wrote the file; empty if it has none.
    pub producer: &'a str,
    /// The versions of the operators, by domain.
    pub opsets: Vec<(&'a str, i64)>,
    /// The graph.
    pub graph: GraphProto<'a>,
}

impl<'a> ModelProto<'a> {
    /// Reads a file.
    ///
    /// # Errors
    /// A damaged file, or fields that are not supported.
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let (mut model, mut is_there) = (Self::default(), false);
        for field in Fields::new(bytes) {
            let (number, wire) = field?;
            match number {
                2 => model.producer = wire.text().context("producer_name")?,
                // Versions of the container and of the producer, and notes.
                1 | 3..=6 | 14 => {}
                7 => {
                    is_there = true;
                    model.graph.read(wire.bytes()?).context("graph")?;
                }
                8 => model.opsets.push(opset(wire.bytes()?).context("opset_import")?),
                20 => bail!("training_info: training graphs are not supported"),
                25 => bail!("functions: custom operators are not supported"),
                26 => bail!("configuration: distribution over devices is not supported"),
                _ => bail!("field {number} of the model: unknown field"),
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
            (number, _) => bail!("field {number}: unknown field"),
        }
    }
    Ok((domain, version))
}

/// A `GraphProto`.
#[derive(Debug, Default)]
pub struct GraphProto<'a> {
    /// The nodes, in the order of execution.
    pub nodes: Vec<NodeProto<'a>>,
    /// The constants.
    pub initializers: Vec<TensorProto<'a>>,
    /// The inputs; may include initializers.
    pub inputs: Vec<ValueInfo<'a>>,
    /// The names of the outputs.
    pub outputs: Vec<&'a str>,
    /// The types of tensors inside the graph, unread `ValueInfoProto`s.
    pub types: Vec<&'a [u8]>,
}

impl<'a> GraphProto<'a> {
    /// Reads a graph, or a further piece of one.
    fn read(&mut self, bytes: &'a [u8]) -> Result<()> {
        for field in Fields::new(bytes) {
            let (number, wire) = field?;
            match number {
                1 => self.nodes.push(NodeProto::read(wire.bytes()?).context("node")?),
                5 => self.initializers.push(TensorProto::read(wire.bytes()?).context("initializer")?),
                11 => self.inputs.push(ValueInfo::read(wire.bytes()?).context("input")?),
                12 => self.outputs.push(ValueInfo::read(wire.bytes()?).context("output")?.name),
                13 => self.types.push(wire.bytes()?),
                // The name, the description, and notes.
                2 | 10 | 16 => {}
                14 => bail!("quantization_annotation: quantized tensors are not supported"),
                15 => bail!("sparse_initializer: sparse weights are not supported"),
                _ => bail!("field {number}: unknown field"),
            }
            let counts = [self.nodes.len(), self.initializers.len(), self.inputs.len(), self.outputs.len()];
            ensure!(
                counts.iter().all(|&len| len <= MAX_ENTRIES),
                "more than {MAX_ENTRIES} nodes, initializers, inputs or outputs"
            );
            ensure!(self.types.len() <= MAX_ENTRIES, "value_info: more than {MAX_ENTRIES} tensors");
        }
        Ok(())
    }
}

/// A `NodeProto`.
#[derive(Clone, Debug, Default)]
pub struct NodeProto<'a> {
    /// The name; may be empty.
    pub name: &'a str,
    /// The operator.
    pub op: &'a str,
    /// The domain of the operator; empty for standard operators.
    pub domain: &'a str,
    /// The names of the inputs; empty for one that is left out.
    pub inputs: Vec<&'a str>,
    /// The names of the outputs.
    pub outputs: Vec<&'a str>,
    /// The `AttributeProto`s.
    pub attributes: Vec<&'a [u8]>,
}

impl<'a> NodeProto<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self> {
        /// A hostile node could consist of names. Concat and Split have one name per part.
        const MAX: usize = 256;
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
                // The description and notes.
                6 | 9 => {}
                8 => ensure!(wire.text()?.is_empty(), "overload: custom operators are not supported"),
                10 => bail!("device_configurations: distribution over devices is not supported"),
                _ => bail!("field {number}: unknown field"),
            }
            let counts = [node.inputs.len(), node.outputs.len(), node.attributes.len()];
            ensure!(
                counts.iter().all(|&len| len <= MAX),
                "{}: more than {MAX} inputs, outputs or attributes",
                node.name
            );
        }
        Ok(node)
    }
}

/// A `ValueInfoProto`: an input or an output of the graph.
#[derive(Clone, Debug, Default)]
pub struct ValueInfo<'a> {
    /// The name.
    pub name: &'a str,
    /// The code of the element type.
    pub element: i64,
    /// The lengths of the axes, where they are fixed; `None` if the file has no shape.
    pub shape: Option<Vec<Option<usize>>>,
}

impl<'a> ValueInfo<'a> {
    /// Reads everything.
    ///
    /// # Errors
    /// A damaged message, or anything but a tensor.
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut input = Self::default();
        for field in Fields::new(bytes) {
            match field? {
                (1, wire) => input.name = wire.text()?,
                (2, wire) => {
                    for field in Fields::new(wire.bytes()?) {
                        match field? {
                            (1, wire) => input.read_type(wire.bytes()?).context("type")?,
                            // The denotation of the axes.
                            (6, _) => {}
                            _ => bail!("{}: not a tensor", input.name),
                        }
                    }
                }
                // The description and notes.
                (3 | 4, _) => {}
                (number, _) => bail!("{}: field {number}: unknown field", input.name),
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
                        ensure!(number == 1, "field {number} of a shape: unknown field");
                        shape.push(dimension(wire.bytes()?)?);
                        ensure!(shape.len() <= MAX_AXES, "{}: more than {MAX_AXES} axes", self.name);
                    }
                    self.shape = Some(shape);
                }
                (number, _) => bail!("field {number}: unknown field"),
            }
        }
        Ok(())
    }
}

/// Reads the length of an axis, if it is fixed. Some exporters write 0 or -1 for lengths that are not.
fn dimension(bytes: &[u8]) -> Result<Option<usize>> {
    let mut len = None;
    for field in Fields::new(bytes) {
        match field? {
            (1, wire) => len = usize::try_from(wire.int()?).ok().filter(|&len| len > 0),
            (2 | 3, _) => {}
            (number, _) => bail!("field {number} of an axis: unknown field"),
        }
    }
    Ok(len)
}
