//! The layers that nodes produce: [`LayerNode`]s connected by [`Edge`]s.
//!
//! A layer node is never modified. An operator that adds to a layer (a bias, an activation, "only the last
//! step is used") creates a new node next to the old one. The nodes on the path to the output are the network
//! in the end; the others are dropped.
//!
//! [`TimeSpan`] is the central idea. A recurrent node computes a sequence in one direction, and an edge
//! states which of its steps a reader gets: all of them, in the order in which they were computed or
//! reversed, or only the step computed last.

use std::rc::Rc;

use anyhow::{Context, Result, bail, ensure};

use embedded_rnn_nn::cells::AnyCell;
use embedded_rnn_nn::layers::{Add, Bidirectional, Kind, MergeMode, Recurrent};
use embedded_rnn_nn::tensor::Matrix;

/// The maximum number of layers on a path.
const MAX_LAYERS: usize = 256;

/// A layer, and the edge that it reads.
#[derive(Debug)]
pub struct LayerNode {
    /// The name of the node in the file.
    pub name: String,
    /// The origin of the layer, for the model's metadata.
    pub origin: String,
    /// The computation.
    pub op: LayerOp,
    /// The edge that the layer reads.
    pub input: Edge,
    /// The number of output features.
    pub size: usize,
    /// The initial states that are inputs of the graph, instead of zeros.
    pub initial: Vec<InitialState>,
    /// The initial states that are constants, h before c, instead of zeros.
    constants: Vec<Matrix<f32>>,
    depth: usize,
}

/// An input of the graph that is an initial state, or a part of such an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitialState {
    /// The name of the state: `initial_h` or `initial_c`.
    pub state: &'static str,
    /// The index of the graph input.
    pub input: usize,
    /// The index along each axis that enumerates states, if the input holds several.
    pub part: Vec<usize>,
}

/// The computation of a layer.
#[derive(Debug)]
pub enum LayerOp {
    /// The same computation on every frame.
    Framewise(Rc<Kind<f32>>),
    /// The maximum or the mean over time.
    Pooling(Rc<Kind<f32>>),
    /// The sum of the input and of an earlier output on its path.
    Residual {
        /// The origin of the earlier output.
        earlier: Source,
    },
    /// A cell over time.
    Recurrent {
        /// The cell with its weights.
        cell: Rc<AnyCell<f32>>,
        /// Whether it runs from the last frame of its input to the first.
        backwards: bool,
    },
    /// Two recurrent nodes over the same input, in opposite directions.
    Bidirectional {
        /// The forward direction.
        forward: Rc<LayerNode>,
        /// The backward direction.
        backward: Rc<LayerNode>,
        /// The combination of their outputs.
        merge: MergeMode,
    },
}

/// A tensor of frames: the output of a layer, or an input of the graph.
#[derive(Clone, Debug)]
pub struct Edge {
    /// The origin of the frames.
    pub source: Source,
    /// The frames that a reader gets.
    pub span: TimeSpan,
}

/// The origin of an edge.
#[derive(Clone, Debug)]
pub enum Source {
    /// An input of the graph, by its index.
    Input(usize),
    /// The output of a layer.
    Node(Rc<LayerNode>),
}

/// The frames of an edge, and their order in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeSpan {
    /// All frames, in the order in which they were computed, or reversed.
    Whole {
        /// Whether the frame computed last comes first.
        reversed: bool,
    },
    /// Only the frame computed last.
    Last,
}

/// All frames in the order in which they were computed.
pub const WHOLE: TimeSpan = TimeSpan::Whole { reversed: false };

impl TimeSpan {
    /// Returns the frames in the opposite order.
    ///
    /// # Errors
    /// A single frame.
    pub fn reversed(self) -> Result<Self> {
        let Self::Whole { reversed } = self else { bail!("a single time step cannot be reversed") };
        Ok(Self::Whole { reversed: !reversed })
    }
}

impl Source {
    fn depth(&self) -> usize {
        match self {
            Self::Input(_) => 0,
            Self::Node(node) => node.depth,
        }
    }

    /// Returns whether both are the same input or the very same layer.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Input(a), Self::Input(b)) => a == b,
            (Self::Node(a), Self::Node(b)) => Rc::ptr_eq(a, b) || a.has_directions_of(b),
            _ => false,
        }
    }
}

impl LayerNode {
    /// Creates a layer node.
    ///
    /// # Errors
    /// A path of too many layers.
    pub fn new(name: &str, origin: &str, op: LayerOp, input: Edge, size: usize) -> Result<Self> {
        let depth = input.source.depth() + 1;
        ensure!(depth <= MAX_LAYERS, "more than {MAX_LAYERS} layers");
        let (name, origin) = (name.to_owned(), origin.to_owned());
        Ok(Self { name, origin, op, input, size, initial: Vec::new(), constants: Vec::new(), depth })
    }

    /// Returns the node with initial states that are inputs of the graph, or constants.
    pub fn with_initial(self, initial: Vec<InitialState>, constants: Vec<Matrix<f32>>) -> Self {
        Self { initial, constants, ..self }
    }

    /// Returns whether the initial states are zeros.
    pub fn starts_from_zeros(&self) -> bool {
        self.initial.is_empty() && self.constants.is_empty()
    }

    /// Returns the same frame-wise layer on another input.
    ///
    /// # Errors
    /// A layer that is not frame-wise.
    pub fn with_input(&self, input: Edge) -> Result<Self> {
        let LayerOp::Framewise(kind) = &self.op else { bail!("not a frame-wise layer") };
        Self::new(&self.name, &self.origin, LayerOp::Framewise(kind.clone()), input, self.size)
    }

    /// Returns a frame-wise layer of this kind with the name and the input of this node.
    pub fn with_kind(&self, kind: Kind<f32>) -> Result<Self> {
        let op = LayerOp::Framewise(Rc::new(kind));
        Self::new(&self.name, &self.origin, op, self.input.clone(), self.size)
    }

    /// Returns the layer kind of a frame-wise layer.
    pub fn framewise_kind(&self) -> Option<&Kind<f32>> {
        if let LayerOp::Framewise(kind) = &self.op { Some(kind) } else { None }
    }

    /// Returns whether the node is a cell that runs from the last frame to the first.
    pub fn runs_backwards(&self) -> bool {
        matches!(self.op, LayerOp::Recurrent { backwards: true, .. })
    }

    /// Returns whether both are the same two directions, merged in the same way: each reader of two
    /// directions merges them anew.
    fn has_directions_of(&self, other: &Self) -> bool {
        use LayerOp::Bidirectional;
        match (&self.op, &other.op) {
            (
                Bidirectional { forward, backward, merge },
                Bidirectional { forward: other_forward, backward: other_backward, merge: other_merge },
            ) => {
                Rc::ptr_eq(forward, other_forward)
                    && Rc::ptr_eq(backward, other_backward)
                    && merge == other_merge
            }
            _ => false,
        }
    }

    /// Returns the nodes with states of which the layer consists.
    pub fn recurrent_nodes(self: &Rc<Self>) -> Vec<Rc<Self>> {
        match &self.op {
            LayerOp::Framewise(_) | LayerOp::Pooling(_) | LayerOp::Residual { .. } => Vec::new(),
            LayerOp::Recurrent { .. } => vec![self.clone()],
            LayerOp::Bidirectional { forward, backward, .. } => vec![forward.clone(), backward.clone()],
        }
    }

    /// Converts the node to a layer of the network behind the layers of `path`, whose reader gets `span` of
    /// its frames.
    pub fn kind(&self, path: &[Rc<Self>], span: TimeSpan) -> Result<Kind<f32>> {
        let recurrent = |node: &Self| -> Result<Recurrent<f32>> {
            let LayerOp::Recurrent { cell, backwards } = &node.op else { bail!("not a recurrent node") };
            let layer = Recurrent::new(AnyCell::clone(cell), span != TimeSpan::Last);
            let layer = layer.starting_from(node.constants.clone());
            Ok(Recurrent { go_backwards: *backwards, ..layer })
        };
        Ok(match &self.op {
            LayerOp::Framewise(kind) | LayerOp::Pooling(kind) => Kind::clone(kind),
            LayerOp::Residual { earlier } => {
                ensure!(span != TimeSpan::Last, "one step of a residual connection");
                Kind::Add(Add::new(self.size, spanned(path, earlier)?))
            }
            LayerOp::Recurrent { .. } => Kind::Recurrent(recurrent(self)?),
            LayerOp::Bidirectional { forward, backward, merge } => Kind::Bidirectional(Bidirectional {
                forward: recurrent(forward)?,
                backward: recurrent(backward)?,
                merge_mode: *merge,
            }),
        })
    }
}

impl Edge {
    /// Returns the layer node, unless the edge is an input of the graph.
    pub fn node(&self) -> Option<&Rc<LayerNode>> {
        if let Source::Node(node) = &self.source { Some(node) } else { None }
    }

    /// Returns the frame-wise layer of the edge.
    pub fn framewise(&self) -> Option<&Kind<f32>> {
        self.node().and_then(|node| node.framewise_kind())
    }

    /// Returns the edge reversed in time.
    ///
    /// # Errors
    /// An edge of one frame.
    pub fn reversed(&self) -> Result<Self> {
        Ok(Self { source: self.source.clone(), span: self.span.reversed()? })
    }

    /// Returns the layers from an input of the graph to this edge, in order.
    ///
    /// # Errors
    /// An input that is read reversed in time.
    pub fn path(&self) -> Result<LayerPath> {
        let (mut layers, mut edge) = (Vec::new(), self);
        loop {
            match &edge.source {
                Source::Input(input) => {
                    ensure!(
                        edge.span == WHOLE,
                        "{}: reads the input reversed in time",
                        layers.last().map_or("output", |(node, _): &(Rc<LayerNode>, TimeSpan)| &node.name)
                    );
                    layers.reverse();
                    return Ok(LayerPath { input: *input, layers });
                }
                Source::Node(node) => {
                    layers.push((node.clone(), edge.span));
                    edge = &node.input;
                }
            }
        }
    }
}

/// The layers from an input of the graph to an edge.
#[derive(Debug)]
pub struct LayerPath {
    /// The index of the input.
    pub input: usize,
    /// The layers, and the frames that the reader of each gets.
    pub layers: Vec<(Rc<LayerNode>, TimeSpan)>,
}

/// Returns the layer node of an edge, for operators that add to it.
///
/// # Errors
/// An edge that is an input of the graph.
pub fn node_of(edge: &Edge) -> Result<&Rc<LayerNode>> {
    edge.node().context("the network's input itself")
}

/// Returns the number of layers of a path that a residual connection behind them spans.
///
/// # Errors
/// An earlier output that is not on the path.
fn spanned(path: &[Rc<LayerNode>], earlier: &Source) -> Result<usize> {
    let from = path.iter().rposition(|node| node.input.source.is(earlier));
    from.map(|from| path.len() - from).context("unsupported branch")
}
