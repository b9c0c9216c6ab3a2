//! The initial states of a recurrent node.

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use super::layout::dims;
use crate::onnx::array::Array;
use crate::onnx::call::Call;
use crate::onnx::context::{AxisRole, GraphContext};
use crate::onnx::layer_graph::{Edge, InitialState, Source, WHOLE};
use crate::onnx::value::{AxisFactor, Component, Dim, Value};
use embedded_rnn_nn::tensor::Matrix;

/// The expected shape of a state.
pub struct StateShape {
    /// The number of directions: 1 or 2.
    pub directions: usize,
    /// The axis of the directions: 0 or 1; the batch is the other one.
    pub directions_axis: usize,
    /// The length of the batch.
    pub batch: Dim,
    /// The units of a direction.
    pub hidden: usize,
}

/// The initial state of a direction.
#[derive(Clone)]
pub enum DirectionState {
    /// Zeros.
    Zeros,
    /// The same values in every sequence.
    Constant(Matrix<f32>),
    /// An input of the graph.
    Input(InitialState),
}

impl StateShape {
    /// Checks the shape of constants. They may have a fixed batch where that of the data is not fixed, as
    /// exporters create them for an example; or, in a part of a graph, the batch of another input.
    fn check_constants(&self, shape: &[Dim]) -> Result<()> {
        let Self { directions, directions_axis, batch, hidden } = self;
        let is = |dim: &Dim, len: usize| *dim == Dim::known(len as i64);
        let fits = |shape: &[Dim]| {
            let own = &shape[1 - directions_axis];
            is(&shape[*directions_axis], *directions)
                && is(&shape[2], *hidden)
                && (own == batch || own.value().is_none() || batch.value().is_none())
        };
        ensure!(
            shape.len() == 3 && fits(shape),
            "constants of the wrong shape, expected {directions} x {hidden} units per sequence"
        );
        Ok(())
    }

    /// Returns the state of each direction, from constants for one sequence or for equal ones.
    fn constants(&self, array: &Array<f32>) -> Result<Vec<DirectionState>> {
        let invalid = array.values().iter().find(|value| !value.is_finite());
        invalid.map_or(Ok(()), |value| Err(anyhow!("contains {value}")))?;
        let direction = |direction| {
            let own = array.taken(self.directions_axis, &[direction])?;
            let mut sequences = own.values().chunks_exact(self.hidden);
            let first = sequences.next().context("of no sequence")?;
            ensure!(
                sequences.all(|other| other == first),
                "the sequences of a batch start from different states, a model from one"
            );
            Ok(DirectionState::Constant(Matrix::from_column_slice(self.hidden, 1, first)))
        };
        (0..self.directions).map(direction).collect()
    }
}

/// Returns the initial states of each direction.
///
/// # Errors
/// Anything but constants and graph inputs.
pub fn initial_states(
    context: &mut GraphContext<'_>,
    call: &Call<'_>,
    index: usize,
    state: &'static str,
    expected: &StateShape,
) -> Result<Vec<DirectionState>> {
    let StateShape { directions, hidden, directions_axis, .. } = *expected;
    let Some((name, value)) = call.input(index) else { return Ok(vec![DirectionState::Zeros; directions]) };
    let data = match value {
        Value::Data(data) => data,
        constant => {
            expected.check_constants(&dims(context, constant)?)?;
            return match constant {
                zeros if zeros.is_zeros() => Ok(vec![DirectionState::Zeros; directions]),
                Value::Floats(array) => expected.constants(array).with_context(|| (*name).to_owned()),
                Value::Repeated(own) => expected.constants(own.array()).with_context(|| (*name).to_owned()),
                _ => bail!("{name}: integers, expected floats"),
            };
        }
    };
    ensure!(data.axes.len() == 3 && !data.ids, "{} axes, expected three", data.axes.len());
    let batch = &data.axes[1 - directions_axis];
    context.bind_role(batch, AxisRole::Batch)?;
    context.bind_role(&data.axes[2], AxisRole::Features)?;
    let size = context.axis_size(&data.axes[2], data);
    ensure!(size.is_none_or(|size| size == hidden), "{} units, expected {hidden}", size.unwrap_or_default());
    let held = &data.axes[directions_axis];
    let count = context.axis_size(held, data);
    ensure!(
        count.is_none_or(|count| count == directions),
        "{} directions, expected {directions}",
        count.unwrap_or_default()
    );
    let initial = |component: &Component, part: Option<usize>| match component {
        Component::InputPart { input, places } => {
            let part = places.iter().map(|place| place.index).collect();
            Ok(DirectionState::Input(InitialState { state, input: *input, part }))
        }
        Component::Frames(Edge { source: Source::Input(input), span: WHOLE }) => {
            Ok(DirectionState::Input(InitialState { state, input: *input, part: Vec::from_iter(part) }))
        }
        _ => bail!("computed by another layer; initial states are constants or inputs of the graph"),
    };
    match &data.components[..] {
        [component] if directions == 1 => Ok(vec![initial(component, None)?]),
        [component @ Component::Frames(_)] => {
            (0..directions).map(|direction| initial(component, Some(direction))).collect()
        }
        components if components.len() == directions && held[..] == [AxisFactor::Components] => {
            components.iter().map(|component| initial(component, None)).collect()
        }
        components => bail!("{} states, expected {directions}", components.len()),
    }
}
