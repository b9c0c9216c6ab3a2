//! Which tensor is the network's answer, which are states, and the network that leads there.

use std::rc::Rc;

use anyhow::{Context as _, Result, ensure};

use super::chain::{Link, Point, Way, When};
use super::context::{Context, Frames};
use super::graph::Tensors;
use super::value::{Atom, Data, Part, Value};
use crate::import::{Chain, Imported};

/// An output of the graph.
struct Output<'a> {
    name: &'a str,
    data: &'a Data,
}

impl Output<'_> {
    /// Whether it is nothing but states of recurrent layers.
    fn is_states(&self) -> bool {
        self.data.parts.iter().all(|part| state_of(part).is_some())
    }
}

/// The recurrent layer whose final state this is.
fn state_of(part: &Part) -> Option<&Rc<Point>> {
    match part {
        Part::Cell(point) => Some(point),
        Part::Made(link) if link.when == When::Last => link.point().filter(|point| point.frames().is_none()),
        _ => None,
    }
}

/// The network.
pub fn network(tensors: Tensors<'_>, outputs: &[&str], name: &str) -> Result<Imported> {
    let Tensors { mut context, values } = tensors;
    let all = outputs.iter().map(|&name| match values.get(name) {
        Some(Value::Data(data)) => Ok(Output { name, data }),
        Some(_) => Err(anyhow::anyhow!("output {name}: a constant")),
        None => Err(anyhow::anyhow!("output {name}: made by no node")),
    });
    let all = all.collect::<Result<Vec<_>>>()?;
    let (place, link) = answer(&mut context, &all)?;
    let Way { input, layers } = link.way().with_context(|| format!("output {}", all[place].name))?;
    let recurrent: Vec<Rc<Point>> = layers.iter().flat_map(|(point, _)| point.recurrent()).collect();
    ensure!(!recurrent.is_empty(), "output {}: no LSTM, GRU or RNN leads there", all[place].name);
    for (_, output) in all.iter().enumerate().filter(|&(other, _)| other != place) {
        let is_own =
            |part| state_of(part).is_some_and(|point| recurrent.iter().any(|own| Rc::ptr_eq(own, point)));
        ensure!(
            output.data.parts.iter().all(is_own),
            "output {}: beside {}, and not a final state of a layer that leads there",
            output.name,
            all[place].name
        );
    }
    check_inputs(&context, input, &recurrent)?;
    let size = context.features_of(input).context("an input without features")?;
    let mut chain = Chain::default();
    for (point, when) in &layers {
        chain.push(&point.name, origin(&context, point), point.kind(*when)?)?;
    }
    chain.finish(name, size)
}

/// Which output is the answer: the one that is not a state; if all are, the first that one layer gives whose way passes all others.
fn answer(context: &mut Context<'_>, outputs: &[Output<'_>]) -> Result<(usize, Link)> {
    let others: Vec<usize> = (0..outputs.len()).filter(|&place| !outputs[place].is_states()).collect();
    if let [first, rest @ ..] = &others[..] {
        ensure!(
            rest.is_empty(),
            "outputs {} and {}: a model gives one answer",
            outputs[*first].name,
            rest.first().map_or("", |&place| outputs[place].name)
        );
        let output = &outputs[*first];
        return Ok((
            *first,
            link_of(context, output.data).with_context(|| format!("output {}", output.name))?,
        ));
    }
    let mut best: Option<(usize, Link, usize)> = None;
    let mut reason = None;
    for (place, output) in outputs.iter().enumerate() {
        match link_of(context, output.data).and_then(|link| Ok((link.way()?.layers.len(), link))) {
            Ok((layers, link)) if best.as_ref().is_none_or(|(_, _, most)| layers > *most) => {
                best = Some((place, link, layers));
            }
            Ok(_) => {}
            Err(error) => reason = reason.or(Some(error.context(format!("output {}", output.name)))),
        }
    }
    match best {
        Some((place, link, _)) => Ok((place, link)),
        None => Err(reason.unwrap_or_else(|| anyhow::anyhow!("no outputs"))),
    }
}

/// The layer whose answers these are, all features of a frame together.
fn link_of(context: &mut Context<'_>, data: &Data) -> Result<Link> {
    let mut data = data.clone();
    // Directions that stand before their units are features of one frame: what comes out is the same, value by value.
    let features = context.features_axis(&data);
    let apart = data.axes.iter().position(|axis| axis[..] == [Atom::Parts]);
    if let (Some(apart), Some(features)) = (apart, features) {
        ensure!(apart < features, "directions after their units");
        data.axes[apart].clear();
        data.axes[features].insert(0, Atom::Parts);
    }
    let axis = context.features_axis(&data);
    let Frames { link, .. } = context.frames(&data, axis)?;
    ensure!(
        !matches!(link.when, When::Always { turned: true }),
        "comes out last step first, or is one that reads backwards and gives all steps"
    );
    Ok(link)
}

/// Refuses inputs that are neither the frames nor states of these layers.
fn check_inputs(context: &Context<'_>, frames: usize, recurrent: &[Rc<Point>]) -> Result<()> {
    let initial: Vec<_> = recurrent.iter().flat_map(|point| &point.initial).collect();
    for (number, name) in context.inputs.iter().enumerate().filter(|&(number, _)| number != frames) {
        ensure!(
            initial.iter().any(|initial| initial.input == number),
            "input {name}: neither the frames nor the initial state of a layer"
        );
    }
    for (place, one) in initial.iter().enumerate() {
        let name = context.inputs[one.input];
        ensure!(one.input != frames, "input {name}: the frames, and an initial state");
        let twice = initial[..place].iter().any(|other| other.input == one.input && other.place == one.place);
        ensure!(!twice, "input {name}: the initial state of two layers");
    }
    Ok(())
}

/// Where a layer came from, and which inputs its states began with.
fn origin(context: &Context<'_>, point: &Rc<Point>) -> String {
    let mut origin = point.origin.clone();
    for initial in point.recurrent().iter().flat_map(|point| &point.initial) {
        let place = initial.place.map_or(String::new(), |place| format!("[{place}]"));
        origin += &format!(", {} {}{place}", initial.state, context.inputs[initial.input]);
    }
    origin
}
