//! The cut of a graph at named tensors: the part of the graph between them is the network.
//!
//! A cut is made before anything is evaluated, so the operators and constants outside it may be unsupported.
//! Only the nodes remain that the outputs need, up to the tensors where the cut begins; these become inputs
//! of the graph.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail, ensure};
use strsim::sorensen_dice;

use super::proto::{GraphProto, NodeProto};
use super::untyped;

/// The maximum number of names that an error suggests.
const MAX_SUGGESTIONS: usize = 5;

/// The tensors at which a graph is cut; none for the whole graph.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cut {
    /// The tensors that become the inputs; none for the inputs of the graph.
    pub from: Vec<String>,
    /// The tensor that becomes the output; `None` for the outputs of the graph.
    pub to: Option<String>,
}

impl Cut {
    /// Returns the flag of the first option that is set.
    pub(super) fn first_flag(&self) -> Option<&'static str> {
        let Self { from, to } = self;
        let flags = [("--from", !from.is_empty()), ("--to", to.is_some())];
        flags.into_iter().find_map(|(flag, is_set)| is_set.then_some(flag))
    }

    /// Describes the part of the graph, for the user.
    pub(super) fn note(&self, input_size: usize) -> Option<String> {
        self.first_flag()?;
        let from = if self.from.is_empty() { "its input".to_owned() } else { self.from.join(", ") };
        let to = self.to.as_deref().unwrap_or("its output");
        let values = if input_size == 1 { "value" } else { "values" };
        Some(format!("Part of the graph: from {from}, {input_size} {values} per time step, to {to}"))
    }

    /// Reduces a graph to the part between the tensors.
    ///
    /// # Errors
    /// The flag with a name that is not a tensor known at run time only, with similar names; tensors that do
    /// not depend on each other.
    pub(super) fn apply(&self, graph: &mut GraphProto<'_>) -> Result<()> {
        if self.first_flag().is_none() {
            return Ok(());
        }
        let begins =
            self.from.iter().map(|name| tensor(graph, "--from", name)).collect::<Result<Vec<_>>>()?;
        if let Some(name) = &self.to {
            graph.outputs = vec![tensor(graph, "--to", name)?];
        }
        if !begins.is_empty() {
            let dependent = dependents(graph, &begins);
            graph.outputs.retain(|output| dependent.contains(output));
        }
        match (&self.to, &graph.outputs[..]) {
            (Some(to), []) => bail!("--to {to}: does not depend on {}", self.from.join(", ")),
            (None, []) => bail!("--from {}: no output depends on it", self.from.join(", ")),
            _ => {}
        }
        for &begin in &begins {
            start_at(graph, begin)?;
        }
        let needed = needed(graph);
        let unused = begins.iter().find(|begin| !needed.contains(*begin));
        ensure!(unused.is_none(), "--from {}: no output depends on it", unused.unwrap_or(&""));
        graph.nodes.retain(|node| node.outputs.iter().any(|output| needed.contains(output)));
        graph.initializers.retain(|tensor| needed.contains(tensor.name));
        graph.inputs.retain(|input| needed.contains(input.name));
        Ok(())
    }
}

/// Returns the tensor of this name, which is an input of the graph or an output of a node.
///
/// # Errors
/// Another name: a constant, a node, or nothing, with similar names.
fn tensor<'a>(graph: &GraphProto<'a>, flag: &str, name: &str) -> Result<&'a str> {
    ensure!(
        graph.initializers.iter().all(|tensor| tensor.name != name),
        "{flag} {name}: a constant, expected a tensor that is known at run time only"
    );
    let inputs = graph.inputs.iter().map(|input| input.name);
    let produced = graph.nodes.iter().flat_map(|node| &node.outputs).copied();
    let all: Vec<&'a str> = inputs.chain(produced).filter(|name| !name.is_empty()).collect();
    if let Some(tensor) = all.iter().find(|tensor| **tensor == name) {
        return Ok(tensor);
    }
    if let Some(node) = graph.nodes.iter().find(|node| node.name == name) {
        bail!("{flag} {name}: a node; its outputs are {}", node.outputs.join(", "));
    }
    match &similar(name, &all)[..] {
        [] => bail!("{flag} {name}: no such tensor; the first are {}", first(&all).join(", ")),
        names => bail!("{flag} {name}: no such tensor; similar names are {}", names.join(", ")),
    }
}

fn first<'n, 'a>(names: &'n [&'a str]) -> &'n [&'a str] {
    &names[..names.len().min(MAX_SUGGESTIONS)]
}

/// Returns the names that share most pairs of letters with `name`, upper and lower case being equivalent.
fn similar<'a>(name: &str, all: &[&'a str]) -> Vec<&'a str> {
    /// The least share of common pairs, with which a name is a slip of the other or a part of it.
    const MIN_SCORE: f64 = 0.5;
    let name = name.to_lowercase();
    let mut scored: Vec<(f64, &str)> =
        all.iter().map(|other| (sorensen_dice(&name, &other.to_lowercase()), *other)).collect();
    scored.retain(|(score, other)| *score >= MIN_SCORE || other.to_lowercase().contains(&name));
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let names: Vec<&str> = scored.into_iter().map(|(_, name)| name).collect();
    first(&names).to_vec()
}

/// Makes a tensor an input of the graph, produced by no node.
fn start_at<'a>(graph: &mut GraphProto<'a>, begin: &'a str) -> Result<()> {
    if graph.inputs.iter().any(|input| input.name == begin) {
        return Ok(());
    }
    let input = untyped::value_info(graph, begin)?;
    graph.inputs.push(input);
    for output in graph.nodes.iter_mut().flat_map(|node| &mut node.outputs) {
        if *output == begin {
            *output = "";
        }
    }
    Ok(())
}

/// Returns the tensors that are computed from these.
fn dependents<'a>(graph: &GraphProto<'a>, begins: &[&'a str]) -> BTreeSet<&'a str> {
    let mut dependent: BTreeSet<&str> = begins.iter().copied().collect();
    for node in &graph.nodes {
        if node.inputs.iter().any(|input| dependent.contains(input)) {
            dependent.extend(node.outputs.iter().filter(|output| !output.is_empty()));
        }
    }
    dependent
}

/// Returns the tensors from which the outputs are computed.
fn needed<'a>(graph: &GraphProto<'a>) -> BTreeSet<&'a str> {
    let producers: BTreeMap<&str, &NodeProto<'a>> =
        graph.nodes.iter().flat_map(|node| node.outputs.iter().map(move |&output| (output, node))).collect();
    let mut needed = BTreeSet::new();
    let mut open = graph.outputs.clone();
    while let Some(name) = open.pop() {
        if !name.is_empty() && needed.insert(name) {
            open.extend(producers.get(name).into_iter().flat_map(|node| &node.inputs));
        }
    }
    needed
}
