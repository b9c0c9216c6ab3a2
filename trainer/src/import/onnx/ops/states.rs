//! What the states of a recurrent node begin with.

use anyhow::{Result, bail, ensure};

use super::layout::dims;
use crate::import::onnx::call::Call;
use crate::import::onnx::chain::{ALWAYS, From, Initial, Link};
use crate::import::onnx::context::{Context, Role};
use crate::import::onnx::value::{Atom, Dim, Part, Value};

/// The shape that a state must have.
pub struct Expected {
    /// 1 or 2.
    pub directions: usize,
    /// Where they stand: 0 or 1, and the batch at the other place.
    pub directions_axis: usize,
    /// The length of the batch.
    pub batch: Dim,
    /// Units of a direction.
    pub hidden: usize,
}

impl Expected {
    /// Zeros may have a batch that is fixed where that of the data is not: they were made for an example.
    fn check_zeros(&self, shape: &[Dim]) -> Result<()> {
        let Self { directions, directions_axis, batch, hidden } = self;
        let is = |dim: &Dim, len: usize| *dim == Dim::known(len as i64);
        let fits = |shape: &[Dim]| {
            let own = &shape[1 - directions_axis];
            is(&shape[*directions_axis], *directions)
                && is(&shape[2], *hidden)
                && (own == batch || (own.value().is_some() && batch.value().is_none()))
        };
        ensure!(
            shape.len() == 3 && fits(shape),
            "zeros of another shape than {directions} times {hidden} units for each sequence"
        );
        Ok(())
    }
}

/// For each direction what a state begins with, if that is given from outside; nothing for zeros.
pub fn initial_states(
    context: &mut Context<'_>,
    call: &Call<'_>,
    place: usize,
    state: &'static str,
    expected: &Expected,
) -> Result<Vec<Option<Initial>>> {
    let Expected { directions, hidden, directions_axis, .. } = *expected;
    let data = match call.given(place) {
        None => return Ok(vec![None; directions]),
        Some((_, value)) if value.is_zeros() => {
            expected.check_zeros(&dims(context, value)?)?;
            return Ok(vec![None; directions]);
        }
        Some((_, Value::Data(data))) => data,
        Some((name, _)) => {
            bail!("{name}: a constant other than zeros; a model begins with zeros, or with what it is given")
        }
    };
    ensure!(data.axes.len() == 3 && !data.ids, "{} axes, expected three", data.axes.len());
    let batch = &data.axes[1 - directions_axis];
    context.bind(batch, Role::Batch)?;
    context.bind(&data.axes[2], Role::Features)?;
    let size = context.axis_size(&data.axes[2], data);
    ensure!(size.is_none_or(|size| size == hidden), "{} units, expected {hidden}", size.unwrap_or_default());
    let held = &data.axes[directions_axis];
    let count = context.axis_size(held, data);
    ensure!(
        count.is_none_or(|count| count == directions),
        "{} directions, expected {directions}",
        count.unwrap_or_default()
    );
    let of = |part: &Part, place: Option<usize>| match *part {
        Part::Piece { input, place } => Ok(Some(Initial { state, input, place: Some(place) })),
        Part::Made(Link { from: From::Input(input), when: ALWAYS }) => {
            Ok(Some(Initial { state, input, place }))
        }
        _ => bail!("made by another layer; a model begins with zeros, or with what it is given"),
    };
    match &data.parts[..] {
        [part] if directions == 1 => Ok(vec![of(part, None)?]),
        [part @ Part::Made(_)] => (0..directions).map(|direction| of(part, Some(direction))).collect(),
        parts if parts.len() == directions && held[..] == [Atom::Parts] => {
            parts.iter().map(|part| of(part, None)).collect()
        }
        parts => bail!("{} parts, expected {directions}", parts.len()),
    }
}
