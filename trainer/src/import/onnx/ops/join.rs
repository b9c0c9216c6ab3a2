//! `Concat`: parts of a constant, directions, states of layers.

use anyhow::{Context as _, Result, ensure};

use super::layout::dims;
use super::select::MOST_PIECES;
use crate::import::onnx::array::Array;
use crate::import::onnx::call::Call;
use crate::import::onnx::context::{Context, Role};
use crate::import::onnx::value::{Atom, Data, Dim, Part, Same, Value, axis_of};

/// `Concat`.
pub fn concat(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    let axis = call.attributes.int("axis")?.context("axis: not given")?;
    let values = call.inputs.iter().map(|input| Ok(&input.as_ref().context("an input left out")?.1));
    let values = values.collect::<Result<Vec<_>>>()?;
    let first = *values.first().context("no inputs")?;
    let axis = axis_of(axis, first.rank())?;
    if values.iter().all(|value| value.is_zeros())
        && values.iter().any(|value| matches!(value, Value::Same(_)))
    {
        return Ok(vec![zeros(context, &values, axis)?]);
    }
    Ok(vec![match first {
        Value::Floats(_) => {
            let arrays =
                values.iter().map(|value| if let Value::Floats(a) = value { Some(&**a) } else { None });
            let arrays: Vec<_> = arrays.collect::<Option<_>>().context("constants and others")?;
            context.spend(arrays.iter().map(|array| array.values().len()).sum())?;
            Value::floats(Array::concatenated(&arrays, axis)?)
        }
        Value::Ints(_) => {
            let arrays =
                values.iter().map(|value| if let Value::Ints(a) = value { Some(&**a) } else { None });
            let arrays: Vec<_> = arrays.collect::<Option<_>>().context("integers and others")?;
            context.spend(arrays.iter().map(|array| array.values().len() * 8).sum())?;
            Value::ints(Array::concatenated(&arrays, axis)?)
        }
        _ => {
            let all =
                values.iter().map(|value| if let Value::Data(data) = value { Some(data) } else { None });
            let all: Vec<_> = all.collect::<Option<_>>().context("the data and a constant")?;
            Value::Data(together(context, &all, axis)?)
        }
    }])
}

/// Zeros behind zeros.
fn zeros(context: &Context<'_>, values: &[&Value], axis: usize) -> Result<Value> {
    let mut shape = dims(context, values[0])?;
    let mut sum = 0i64;
    for value in values {
        let mut own = dims(context, value)?;
        let len = own.get(axis).and_then(Dim::value).context("an axis whose length comes at run time")?;
        sum = sum.checked_add(len).context("a length beyond all memory")?;
        own[axis] = Dim::known(sum);
        shape[axis] = Dim::known(sum);
        ensure!(own == shape, "zeros of other axes");
    }
    Ok(Value::Same(Same { int: None, shape }))
}

/// Several tensors of data as one: along an axis of directions or layers, or directions as features of one frame.
fn together(context: &Context<'_>, all: &[&Data], axis: usize) -> Result<Data> {
    let first = all[0];
    for other in &all[1..] {
        let alike = first.axes.len() == other.axes.len()
            && (0..first.axes.len()).all(|k| k == axis || alike(context, first, k, other))
            && first.ids == other.ids;
        ensure!(alike, "tensors of other axes");
    }
    let mut axes = first.axes.clone();
    axes[axis].retain(|&atom| atom != Atom::Parts);
    let own = |data: &Data| data.axes[axis].iter().filter(|&&atom| atom != Atom::Parts).count();
    let is_features = axes[axis].len() == 1
        && context.role_of(axes[axis][0]) == Some(Role::Features)
        && all.iter().all(|data| own(data) == 1 && last_alike(context, first, data, axis));
    ensure!(
        is_features || all.iter().all(|data| own(data) == 0),
        "{}: only directions, and layers with layers, are put together",
        context.axis_name(&first.axes[axis])
    );
    ensure!(
        all.iter().all(|data| data.parts.len() == 1 || data.axes[axis].first() == Some(&Atom::Parts)),
        "directions or layers along another axis"
    );
    let parts: Vec<Part> = all.iter().flat_map(|data| data.parts.iter().cloned()).collect();
    ensure!(parts.len() <= MOST_PIECES, "{} tensors: at most {MOST_PIECES} are read", parts.len());
    if parts.len() > 1 {
        axes[axis].insert(0, Atom::Parts);
    }
    Ok(Data { parts, axes, ids: first.ids })
}

/// Whether an axis is the same in both; features may be those of layers of the same size.
fn alike(context: &Context<'_>, a: &Data, axis: usize, b: &Data) -> bool {
    a.axes[axis] == b.axes[axis]
        || (a.axes[axis].len() == b.axes[axis].len() && last_alike(context, a, b, axis))
}

fn last_alike(context: &Context<'_>, a: &Data, b: &Data, axis: usize) -> bool {
    let of = |data: &Data| {
        let &last = data.axes[axis].last()?;
        let is_features = context.role_of(last) == Some(Role::Features);
        is_features.then(|| context.size_of(last, data)).flatten()
    };
    of(a).is_some() && of(a) == of(b)
}
