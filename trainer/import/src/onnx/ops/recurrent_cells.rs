//! The cells of a recurrent node: the weights and the activations of each direction.

use std::rc::Rc;

use anyhow::{Context as _, Result, bail, ensure};

use super::activations::{defaults, runtime_activation};
use crate::cells::{CellKind, CellWeights, Framework, cell};
use crate::onnx::array::Array;
use crate::onnx::call::{Call, column, matrix};
use crate::onnx::context::GraphContext;
use embedded_rnn_nn::activation::Activation;
use embedded_rnn_nn::cells::AnyCell;
use embedded_rnn_nn::export::Activations;
use embedded_rnn_nn::tensor::Matrix;

/// The weights of a recurrent node.
pub struct NodeWeights {
    kind: CellKind,
    /// `[directions, gates * hidden_size, input_size]`.
    w: Rc<Array<f32>>,
    /// `[directions, gates * hidden_size, hidden_size]`.
    r: Rc<Array<f32>>,
    /// `[directions, 2 * gates * hidden_size]`, the biases of the input before the recurrent ones.
    b: Option<Rc<Array<f32>>>,
}

impl NodeWeights {
    /// Reads the weights of a node over `size` input features.
    ///
    /// # Errors
    /// Missing weights, or weights of the wrong shape.
    pub fn read(
        context: &mut GraphContext<'_>,
        call: &mut Call<'_>,
        kind: CellKind,
        directions: usize,
        size: usize,
    ) -> Result<Self> {
        let [w, r] = [(1, "W"), (2, "R")].map(|(index, name)| -> Result<Rc<Array<f32>>> {
            call.weights(index).context(name)?.with_context(|| format!("{name}: missing"))
        });
        let (w, r, b) = (w?, r?, call.weights(3).context("B")?);
        for (name, array) in [("W", &w), ("R", &r)] {
            let shape = array.shape();
            let is_matrices = shape.len() == 3 && shape[0] == directions;
            ensure!(is_matrices, "{name}: shape {shape:?}, expected {directions} matrices");
        }
        let weights = Self { kind, w, r, b };
        if let Some(given) = call.attributes.int("hidden_size")? {
            let hidden = weights.hidden();
            ensure!(given == hidden as i64, "hidden_size {given}: R has {hidden} units");
        }
        let columns = weights.w.shape()[2];
        ensure!(columns == size, "W: {columns} input features, but X has {size}");
        if let Some(b) = &weights.b {
            let expected = [directions, 2 * weights.rows()];
            ensure!(b.shape() == expected, "B: shape {:?}, expected {expected:?}", b.shape());
        }
        context.spend(weights.w.values().len() + weights.r.values().len())?;
        Ok(weights)
    }

    /// Returns the number of units per direction.
    pub fn hidden(&self) -> usize {
        self.r.shape()[2]
    }

    /// Returns the number of rows of each matrix.
    fn rows(&self) -> usize {
        self.kind.gates() * self.hidden()
    }

    /// Creates the cell of each direction with its activations.
    ///
    /// # Errors
    /// Matrices of the wrong shape.
    pub fn cells(&self, activations: &[Activations]) -> Result<Vec<AnyCell<f32>>> {
        let cell = |(direction, &activations): (usize, &Activations)| {
            let [bias, recurrent_bias] = self.biases(direction)?;
            let (w_ih, w_hh) = (matrix_of(&self.w, direction)?, matrix_of(&self.r, direction)?);
            let weights = CellWeights { w_ih, w_hh, bias, recurrent_bias };
            cell(self.kind, Framework::Onnx, weights, activations)
        };
        activations.iter().enumerate().map(cell).collect()
    }

    /// Returns the bias of the input and the recurrent bias of a direction.
    fn biases(&self, direction: usize) -> Result<[Option<Matrix<f32>>; 2]> {
        let Some(b) = &self.b else { return Ok([None, None]) };
        let rows = self.rows();
        let (input, recurrent) = b.values()[direction * 2 * rows..][..2 * rows].split_at(rows);
        let [input, recurrent] =
            [input, recurrent].map(|values| column(&Array::vector(values.to_vec()), rows));
        Ok([Some(input?), Some(recurrent?)])
    }
}

/// Returns the matrix of one direction.
fn matrix_of(array: &Array<f32>, direction: usize) -> Result<Matrix<f32>> {
    matrix(&array.taken(0, &[direction])?.reshaped(array.shape()[1..].to_vec())?)
}

/// Returns the activations of each direction, from the lists of names and parameters.
pub fn activations(call: &mut Call<'_>, kind: CellKind, directions: usize) -> Result<Vec<Activations>> {
    let usual: &[&str] = match kind {
        CellKind::SimpleRnn => &["Tanh"],
        CellKind::Gru { .. } => &["Sigmoid", "Tanh"],
        CellKind::Lstm => &["Sigmoid", "Tanh", "Tanh"],
    };
    let names = call.attributes.texts("activations")?.unwrap_or_else(|| usual.repeat(directions));
    ensure!(
        names.len() == usual.len() * directions,
        "activations {names:?}: {} names, expected {}",
        names.len(),
        usual.len() * directions
    );
    functions(call, &names)?
        .chunks(usual.len())
        .map(|own| cell_activations(own).with_context(|| format!("activations {names:?}")))
        .collect()
}

/// Returns the functions with these names. Those with parameters take them from the lists of the node in
/// order.
fn functions(call: &mut Call<'_>, names: &[&str]) -> Result<Vec<Activation>> {
    let mut lists = [Vec::new(), Vec::new()];
    for (list, name) in lists.iter_mut().zip(["activation_alpha", "activation_beta"]) {
        *list = call.attributes.floats(name)?.unwrap_or_default();
        list.reverse();
    }
    let mut functions = Vec::new();
    for name in names {
        let mut parameters = defaults(name).context("activations")?;
        for (parameter, list) in parameters.iter_mut().zip(&mut lists) {
            if parameter.is_some() {
                *parameter = list.pop().or(*parameter);
            }
        }
        functions.push(runtime_activation(name, parameters).context("activations")?);
    }
    let is_used = lists.iter().all(Vec::is_empty);
    ensure!(is_used, "activation_alpha, activation_beta: more values than the activations take");
    Ok(functions)
}

/// Returns the activations of a cell from its functions, in ONNX's order.
fn cell_activations(functions: &[Activation]) -> Result<Activations> {
    Ok(match *functions {
        [value] => Activations { value, recurrent: Activation::Sigmoid },
        [gates, value] => Activations { value, recurrent: gates },
        [gates, value, output] => {
            ensure!(value == output, "different candidate and cell activations are not supported");
            Activations { value, recurrent: gates }
        }
        _ => bail!("not the number of activations of a cell"),
    })
}
