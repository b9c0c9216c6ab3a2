//! ONNX: `.onnx` files as PyTorch and tf2onnx export them.
//!
//! An ONNX graph is a list of nodes over named tensors, and the same network looks different from each
//! exporter. This importer does not match patterns of nodes. It evaluates the graph once, node by node, on
//! what is known of each tensor before the network runs, and the evaluation of the nodes builds the layers.
//!
//! # The values of tensors
//!
//! A tensor has one of four values (`value`): constant floats; integers, known up to run-time lengths such as
//! "the length of axis 0 of x"; one value in a shape of such lengths (zero states); or
//! run-time data. Constants and shapes are simply computed. Run-time data is followed by its axes: the length
//! of an axis is a product of factors, a factor has a role (batch, time, features) as soon as a node requires
//! one, and `Transpose`, `Squeeze`, `Reshape` and their like only move factors. So the position of time,
//! batch and features is known after any sequence of them.
//!
//! Run-time data refers to the layer that computed it by an edge (`layer_graph`), which also states which
//! time steps it carries: all in the order of computation, all reversed, or only the one computed last. A
//! recurrent layer with `direction = reverse` reads its input backwards and yields a reversed edge; `Gather`
//! of the last step yields an edge of the last step only. Both directions of a layer, and the states of all
//! layers, are one tensor with several components, enumerated by a factor of an axis.
//!
//! # The order of evaluation
//!
//! Nodes are evaluated in the order of the file, in which ONNX requires each input to be produced earlier.
//! The operator of a node (`ops`) gets the values of its inputs and returns those of its outputs. It computes
//! constants, moves axes, or adds a layer node that reads the data. Layer nodes are immutable: a bias added
//! later, an activation, or "the last step only" creates a new node, and nodes that are on no path to the
//! output are dropped. At the end (`finish`) one graph output is the output of the network; the path from it
//! back to an input of the graph is the stack of layers. The other graph outputs must be final states of
//! layers on that path, the other inputs their initial states.
//!
//! A PyTorch LSTM 3 -> 4 with `batch_first` and a linear head on the last step becomes two layers. Its
//! exporter writes these nodes (b: batch, t: time):
//!
//! ```text
//! node                         value of its output              layer nodes
//!
//! input x                      [b] [t] [3]        input 0
//! Shape, Gather, Unsqueeze,
//!   Concat, ConstantOfShape    [1] [b] [4]        zeros         the initial h, and again for c
//! Transpose 1,0,2              [t] [b] [3]        input 0
//! LSTM                    Y    [t] [] [b] [4]     all steps     LSTM 3 -> 4   <- input 0
//!                         Y_h  [] [b] [4]         last step
//!                         Y_c  [] [b] [4]         cell state
//! Squeeze 1                    [t] [b] [4]        all steps
//! Transpose 1,0,2              [b] [t] [4]        all steps
//! Gather -1, axis 1            [b] [4]            last step
//! Gemm                         [b] [2]            last step     Dense 4 -> 2  <- LSTM, last step
//!
//! path: input 0 -> LSTM (return_sequences = false) -> Dense
//! ```
//! An empty bracket is an axis of length 1 without a factor. That the first axis of x is the batch and the
//! second is time follows from the node LSTM, which binds the roles of the factors behind its input.
//!
//! # A part of a graph
//!
//! A network inside a larger graph (behind a spectrum, in front of a decoder) is imported by the names of the
//! tensors around it (`cut`). The rest of the graph is removed before the evaluation and need not be
//! supported. An input that only `Shape` reads, as the zero states of many exporters do, is no input of the
//! network.
//!
//! # Rejections
//!
//! The importer is exact or fails. It rejects unknown operators and attributes (an attribute that no
//! operator reads is an error, as is an unknown protobuf field); data whose axes have another role
//! than a layer requires; a time step other than the one computed last; branches, as a model is one chain of
//! layers; states computed by other layers; and graph inputs or outputs without a role. Every error names the
//! node, the attribute or input, and the reason. Memory and time are bounded by the size of the file and by
//! [`MAX_BYTES`], whatever the file declares.
//!
//! ```text
//! finish   graph    cut           the output and its path; the evaluation of all nodes; a part of a graph
//!       ops                       one function per operator
//!    call   elementwise linear    a node with resolved inputs; the layers of functions of single values
//!           directions            the two directions of a layer, and one time step of them
//!            context              axis factors, layers, memory budget
//! attributes     value  waiting   what an operator reads; what is known of a tensor
//!   proto      layer_graph        messages of the file; layer nodes and edges
//!   tensor                        constants of the file
//!    array      wire              computed constants; protobuf
//! ```
//!
//! [`MAX_BYTES`]: super::MAX_BYTES

mod array;
mod attributes;
mod call;
mod context;
mod cut;
mod directions;
mod elementwise;
mod finish;
mod graph;
mod layer_graph;
mod linear;
mod ops;
mod proto;
mod tensor;
mod untyped;
mod value;
mod waiting;
mod wire;

pub use array::Array;
pub use cut::Cut;
pub use tensor::{Constant, TensorProto};

use anyhow::Result;

use super::importer::Importer;
use super::stack::Imported;

/// The importer of `.onnx` files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Onnx {
    /// The part of the graph to import.
    pub cut: Cut,
}

impl Importer for Onnx {
    fn extensions(&self) -> &'static [&'static str] {
        &["onnx"]
    }

    fn first_flag(&self) -> Option<&'static str> {
        self.cut.first_flag()
    }

    fn read(&self, bytes: Vec<u8>, name: &str) -> Result<Imported> {
        read_part(&bytes, name, &self.cut)
    }
}

/// Reads the bytes of a file.
///
/// # Errors
/// A construct that is not supported, by node and attribute.
pub fn read(bytes: &[u8], name: &str) -> Result<Imported> {
    read_part(bytes, name, &Cut::default())
}

/// Reads the part of a file between the tensors of a cut.
///
/// # Errors
/// A cut that does not fit the graph, or as [`read`].
pub fn read_part(bytes: &[u8], name: &str, cut: &Cut) -> Result<Imported> {
    let mut model = proto::ModelProto::read(bytes)?;
    cut.apply(&mut model.graph)?;
    let mut imported = finish::network(graph::evaluate(&model)?, &model.graph.outputs, name)?;
    imported.notes.extend(cut.note(imported.network.input_size));
    Ok(imported)
}
