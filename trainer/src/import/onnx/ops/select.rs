//! Operators that take a part of a tensor.

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use super::layout::dims;
use super::time::turned;
use crate::import::onnx::call::{Call, matrix};
use crate::import::onnx::chain::{ALWAYS, From, Link, OF_BOTH};
use crate::import::onnx::context::{Context, Role};
use crate::import::onnx::value::{Atom, Data, Dim, Part, Same, Value, axis_of, on_constants};
use crate::layers::{Embedding, Kind};

/// Most pieces that an input is taken apart into: layers times directions.
pub const MOST_PIECES: usize = 256;

/// Longest axis whose places are counted one by one.
const MOST_LENGTH: usize = 1 << 20;

/// `Gather`: an embedding if the places are ids that come at run time; else one step, one direction or one layer.
pub fn gather(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(2)?;
    let axis = call.attributes.int("axis")?.unwrap_or(0);
    if let Value::Data(ids) = call.value(1)? {
        let ids = ids.clone();
        ensure!(axis == 0, "axis {axis}: ids choose along axis 0");
        return Ok(vec![Value::Data(embedding(context, call, ids)?)]);
    }
    let Value::Ints(places) = call.value(1)?.clone() else { bail!("indices: no integers that are known") };
    let value = call.value(0)?.clone();
    let axis = axis_of(axis, value.rank())?;
    let known: Option<Vec<i64>> = places.values().iter().map(Dim::value).collect();
    let known = known.context("indices: lengths that come at run time")?;
    if let Value::Data(data) = value {
        let [place] = known[..] else { bail!("indices {known:?}: one place is read") };
        ensure!(places.shape().len() <= 1, "indices: of {} axes", places.shape().len());
        let mut data = at(context, &data, axis, place)?;
        if places.shape().is_empty() {
            data.axes.remove(axis);
        }
        return Ok(vec![Value::Data(data)]);
    }
    let value: Result<Value> = on_constants!(value, array => {
        let len = array.shape()[axis];
        let from_start = |&place: &i64| axis_of(place, len).with_context(|| format!("indices {known:?}"));
        let chosen = known.iter().map(from_start).collect::<Result<Vec<_>>>()?;
        let shape = [&array.shape()[..axis], places.shape(), &array.shape()[axis + 1..]].concat();
        context.spend((array.values().len() / len.max(1)).saturating_mul(chosen.len()))?;
        array.taken(axis, &chosen)?.reshaped(shape)?
    }, same => {
        let len = same.shape[axis].value().context("indices: along an axis whose length comes at run time")?;
        known.iter().try_for_each(|&place| axis_of(place, len as usize).map(drop)).context("indices")?;
        let chosen: Vec<Dim> = places.shape().iter().map(|&len| Dim::known(len as i64)).collect();
        [&same.shape[..axis], &chosen, &same.shape[axis + 1..]].concat()
    }, _data => bail!("indices: of data"));
    Ok(vec![value?])
}

fn embedding(context: &mut Context<'_>, call: &Call<'_>, ids: Data) -> Result<Data> {
    let weights = call.weights(0)?.context("no weights")?;
    let [Part::Made(Link { from: From::Input(input), when: ALWAYS })] = ids.parts[..] else {
        bail!("indices: ids that are not an input of the network as they are");
    };
    ensure!(ids.ids, "indices: no integers");
    context.tell_features(input, 1)?;
    context.spend(weights.values().len())?;
    let weight = matrix(&weights)?.transpose();
    let size = weight.nrows();
    let link = Link { from: From::Input(input), when: ALWAYS };
    let kind = Kind::Embedding(Embedding { weight, mask_zero: false });
    let link = context.layer(&call.name, &call.origin, kind, &link, size)?;
    let mut ids = ids;
    ids.axes.push(Vec::new());
    let features = ids.axes.len() - 1;
    context.after(&ids, Some(features), link)
}

/// One place along an axis, which then has length 1.
fn at(context: &mut Context<'_>, data: &Data, axis: usize, place: i64) -> Result<Data> {
    let held = &data.axes[axis];
    let name = context.axis_name(held);
    let size = context.axis_size(held, data);
    let is_last = place == -1 || size.is_some_and(|size| place == size as i64 - 1);
    let mut axes = data.axes.clone();
    axes[axis] = Vec::new();
    if held.is_empty() {
        ensure!(is_last, "place {place} of an axis of length 1");
        return Ok(Data { axes, ..data.clone() });
    }
    if held[..] == [Atom::Parts] {
        let place = axis_of(place, data.parts.len()).with_context(|| format!("place {place}"))?;
        return Ok(Data { parts: vec![data.parts[place].clone()], axes, ids: data.ids });
    }
    if let [part @ Part::Made(Link { from: From::Input(_), .. })] = &data.parts[..] {
        let size = size.with_context(|| format!("place {place} along {name}, whose length is not fixed"))?;
        let place = axis_of(place, size).with_context(|| format!("place {place}"))?;
        let mut pieces = pieces(context, part, size)?;
        return Ok(Data { parts: vec![pieces.swap_remove(place)], axes, ids: data.ids });
    }
    ensure!(
        context.role_of(held[0]) == Some(Role::Time) && held.len() == 1,
        "place {place} along {name}: only steps, directions and layers are chosen; a recurrent layer that was exported step \
         by step (torch.onnx.export of an nn.RNN does it, unless dynamo=False) is not read"
    );
    ensure!(is_last || place == 0, "step {place}: a model gives all steps, or the one that is made last");
    let ends = data.parts.iter().map(|part| context.made(part)?.at_end(is_last).map(Part::Made));
    let ends = ends.collect::<Result<Vec<_>>>();
    let parts = if ends.is_err() && data.parts.len() > 1 { Err(anyhow!(OF_BOTH)) } else { ends };
    let parts = parts.with_context(|| format!("step {place}"))?;
    Ok(Data { parts, axes, ids: data.ids })
}

/// What an input is made of along an axis of this length.
fn pieces(context: &Context<'_>, part: &Part, size: usize) -> Result<Vec<Part>> {
    let Link { from: From::Input(input), when: ALWAYS } = *context.made(part)? else {
        bail!("a part of what is no input");
    };
    ensure!(size <= MOST_PIECES, "{size} pieces: at most {MOST_PIECES} are read");
    Ok((0..size).map(|place| Part::Piece { input, place }).collect())
}

/// A stretch of an axis.
#[derive(Clone, Debug)]
pub struct Stretch {
    start: Dim,
    end: Dim,
    step: i64,
}

/// `Slice`.
pub fn slice(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(5)?;
    let known = |ints: Vec<i64>| ints.into_iter().map(Dim::known).collect::<Vec<_>>();
    let (starts, ends) = if context.opset < 10 {
        (call.attributes.ints("starts")?.map(known), call.attributes.ints("ends")?.map(known))
    } else {
        (call.dims(1)?, call.dims(2)?)
    };
    let (starts, ends) = (starts.context("starts: not given")?, ends.context("ends: not given")?);
    let axes = call.ints_of("axes", 3)?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = call.ints(4)?.unwrap_or_else(|| vec![1; starts.len()]);
    let lens = [starts.len(), ends.len(), axes.len(), steps.len()];
    ensure!(lens.iter().all(|&len| len == axes.len()), "starts, ends, axes and steps of {lens:?} values");
    let mut value = call.value(0)?.clone();
    for (((start, end), axis), step) in starts.into_iter().zip(ends).zip(axes).zip(steps) {
        let axis = axis_of(axis, value.rank())?;
        value = stretch(context, &value, axis, Stretch { start, end, step })?;
    }
    Ok(vec![value])
}

/// The places from `start` to before `end` along an axis of `len`, as ONNX counts them.
fn places(stretch: &Stretch, len: usize) -> Result<Vec<usize>> {
    let known = |dim: &Dim| dim.value().context("a stretch between lengths that come at run time");
    let (len, step) = (len as i64, stretch.step);
    ensure!(step != 0, "steps 0");
    let from_start = |place: i64| if place < 0 { place.saturating_add(len) } else { place };
    let (start, end) = (from_start(known(&stretch.start)?), from_start(known(&stretch.end)?));
    let (start, end) = if step > 0 {
        (start.clamp(0, len), end.clamp(0, len))
    } else {
        (start.clamp(-1, len - 1), end.clamp(-1, len - 1))
    };
    let next =
        |place: &i64| place.checked_add(step).filter(|&next| if step > 0 { next < end } else { next > end });
    let is_any = if step > 0 { start < end } else { start > end };
    Ok(std::iter::successors(is_any.then_some(start), next).map(|place| place as usize).collect())
}

/// What an exporter writes for an end that is not known: the largest integer of 32 or of 64 bits, or near it.
const FAR: i64 = i32::MAX as i64 - 1;

fn stretch(context: &mut Context<'_>, value: &Value, axis: usize, stretch: Stretch) -> Result<Value> {
    let len = dims(context, value)?[axis].clone();
    let Stretch { start, end, step } = &stretch;
    let is_end =
        *end == len || end.value().is_some_and(|end| end >= FAR || len.value().is_some_and(|len| end >= len));
    if *step == 1 && start.value() == Some(0) && is_end {
        return Ok(value.clone());
    }
    on_constants!(value.clone(), array => {
        let places = places(&stretch, array.shape()[axis])?;
        context.spend(array.values().len())?;
        array.taken(axis, &places)?
    }, same => {
        let len = len.value().and_then(|len| usize::try_from(len).ok());
        let len = len.context("a stretch of an axis whose length comes at run time")?;
        ensure!(len <= MOST_LENGTH, "a stretch of {len} zeros");
        let mut shape = same.shape.clone();
        shape[axis] = Dim::known(places(&stretch, len)?.len() as i64);
        shape
    }, data => Ok(Value::Data(part_of(context, &data, axis, &stretch, is_end)?)))
}

/// A stretch of data: directions or layers, the last step, all steps from the last to the first.
fn part_of(
    context: &mut Context<'_>,
    data: &Data,
    axis: usize,
    stretch: &Stretch,
    is_end: bool,
) -> Result<Data> {
    let held = data.axes[axis].clone();
    let Stretch { start, end, step } = stretch;
    let size = context.axis_size(&held, data);
    let chosen = size.filter(|&size| size <= MOST_LENGTH).map(|size| places(stretch, size)).transpose()?;
    let parts = data.parts.len();
    // Of both directions as features of one frame, one of them.
    if held.len() == 2 && held[0] == Atom::Parts {
        let each = context.size_of(held[1], data).context("directions of no fixed length")?;
        let whole = |part: &usize| {
            chosen.as_deref() == Some(&(part * each..(part + 1) * each).collect::<Vec<_>>()[..])
        };
        let part = (0..parts).find(whole).context("features that are not those of one direction")?;
        let mut axes = data.axes.clone();
        axes[axis].remove(0);
        return Ok(Data { parts: vec![data.parts[part].clone()], axes, ids: data.ids });
    }
    let is_given = matches!(&data.parts[..], [Part::Made(Link { from: From::Input(_), .. })]);
    let goes_back = *step == -1
        && (start.value() == Some(-1) || start.value().is_some_and(|start| start >= FAR))
        && end.value().is_some_and(|end| end <= -FAR || size.is_some_and(|size| end < -(size as i64)));
    if goes_back && held[..] != [Atom::Parts] {
        return turned(context, data, axis);
    }
    if held[..] == [Atom::Parts] || (is_given && context.role_of_axis(&held) != Some(Role::Time)) {
        let name = context.axis_name(&held);
        let chosen = chosen.with_context(|| format!("a part of {name}, whose length is not fixed"))?;
        let all = if held[..] == [Atom::Parts] {
            data.parts.clone()
        } else {
            pieces(context, &data.parts[0], size.unwrap_or_default())?
        };
        let mut axes = data.axes.clone();
        axes[axis] = if chosen.len() == 1 { Vec::new() } else { vec![Atom::Parts] };
        ensure!(!chosen.is_empty(), "nothing of {name}");
        let other = |(k, axis_held): (usize, &Vec<Atom>)| k != axis && axis_held.contains(&Atom::Parts);
        ensure!(!data.axes.iter().enumerate().any(other), "parts of parts");
        return Ok(Data {
            parts: chosen.iter().map(|&place| all[place].clone()).collect(),
            axes,
            ids: data.ids,
        });
    }
    let from = start.value().context("a stretch from a length that comes at run time")?;
    let one = match (from, end.value(), chosen.as_deref()) {
        (_, _, Some(&[one])) => one as i64,
        (-1, _, _) if is_end && *step == 1 => -1,
        (0, Some(1), _) if *step == 1 => 0,
        _ => bail!("a stretch of {}: one step or all are read", context.axis_name(&held)),
    };
    at(context, data, axis, one)
}

/// `Split`: a stretch after another.
pub fn split(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(2)?;
    let axis = call.attributes.int("axis")?.unwrap_or(0);
    call.attributes.int("num_outputs")?;
    let lens = call.ints_of("split", 1)?;
    let value = call.value(0)?.clone();
    let axis = axis_of(axis, value.rank())?;
    let len = dims(context, &value)?[axis].value().context("an axis whose length comes at run time")?;
    // Without lengths each is as long, but for the last.
    let each = (len as u64).div_ceil(call.outputs.max(1) as u64) as i64;
    let lens = lens.unwrap_or_else(|| {
        (0..call.outputs as i64).map(|k| each.min(len - each.saturating_mul(k))).collect()
    });
    ensure!(
        lens.len() == call.outputs && lens.iter().all(|&len| len > 0) && lens.iter().sum::<i64>() == len,
        "split {lens:?} of {len}"
    );
    let mut start = 0;
    let mut parts = Vec::new();
    for len in lens {
        let part = Stretch { start: Dim::known(start), end: Dim::known(start + len), step: 1 };
        parts.push(stretch(context, &value, axis, part)?);
        start += len;
    }
    Ok(parts)
}
