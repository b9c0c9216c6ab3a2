//! The knowledge that grows while the nodes are visited: the factors of all axes with their roles, the number
//! of features of each input, and the memory budget.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use anyhow::{Context as _, Result, bail, ensure};

use super::layer_graph::{Edge, LayerNode, LayerOp, Source, TimeSpan, WHOLE, node_of};
use super::value::{Axis, AxisFactor, Component, Data, Dim};
use crate::limits::MAX_BYTES;
use embedded_rnn_nn::layers::{Kind, MergeMode};

/// The meaning of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AxisRole {
    /// Independent sequences.
    Batch,
    /// Time steps.
    Time,
    /// The values of a frame.
    Features,
}

/// An indivisible factor of an axis length.
#[derive(Clone, Debug)]
struct FactorInfo {
    /// The role, once a node has determined it.
    role: Option<AxisRole>,
    /// The length, if it is fixed.
    size: Option<usize>,
    /// The name in error messages.
    name: String,
}

/// The knowledge so far.
#[derive(Debug)]
pub struct GraphContext<'a> {
    /// The version of the standard operators.
    pub opset: i64,
    /// The name of the program that wrote the file.
    pub producer: &'a str,
    /// The names of the graph's inputs.
    pub inputs: Vec<&'a str>,
    /// The indices of inputs whose values are not read, but the lengths of their axes.
    pub only_measured: BTreeSet<usize>,
    /// The inputs, by index, that are the lengths of the sequences.
    pub lengths: BTreeSet<usize>,
    /// Facts for the user, a line each.
    pub notes: Vec<String>,
    factors: Vec<FactorInfo>,
    features: BTreeMap<usize, usize>,
    /// The layers of selected features, by input and indices.
    pub selections: Vec<((usize, Vec<usize>), Edge)>,
    values_left: u64,
}

/// The input of a frame-wise layer.
pub struct FrameInput {
    /// The edge to read.
    pub edge: Edge,
    /// The number of features per frame.
    pub size: usize,
}

impl<'a> GraphContext<'a> {
    /// Creates an empty context.
    pub fn new(opset: i64, producer: &'a str, inputs: Vec<&'a str>) -> Self {
        Self {
            opset,
            producer,
            inputs,
            only_measured: BTreeSet::new(),
            lengths: BTreeSet::new(),
            notes: Vec::new(),
            factors: Vec::new(),
            features: BTreeMap::new(),
            selections: Vec::new(),
            values_left: MAX_BYTES / 4,
        }
    }

    /// Takes the memory of this many values from the budget; everything that is ever made counts.
    ///
    /// # Errors
    /// An exhausted budget.
    pub fn spend(&mut self, values: usize) -> Result<()> {
        let left = self.values_left.checked_sub(values as u64);
        self.values_left = left.with_context(|| format!("more than {MAX_BYTES} bytes of tensor data"))?;
        Ok(())
    }

    /// Adds an axis factor and returns its index.
    pub fn add_factor(&mut self, role: Option<AxisRole>, size: Option<usize>, name: String) -> usize {
        self.factors.push(FactorInfo { role, size, name });
        self.factors.len() - 1
    }

    /// Returns the length of a factor, if it is fixed.
    pub fn factor_size(&self, factor: AxisFactor, data: &Data) -> Option<usize> {
        match factor {
            AxisFactor::Components => Some(data.components.len()),
            AxisFactor::Indexed(number) => self.factors[number].size,
        }
    }

    /// Returns the length of an axis, if it is fixed.
    pub fn axis_size(&self, axis: &Axis, data: &Data) -> Option<usize> {
        axis.iter().try_fold(1usize, |size, &factor| size.checked_mul(self.factor_size(factor, data)?))
    }

    /// Sets the length of an axis that the file leaves open, by the weights that are multiplied with it.
    pub fn fix_size(&mut self, axis: &Axis, size: usize) {
        if let [AxisFactor::Indexed(number)] = axis[..] {
            self.factors[number].size.get_or_insert(size);
        }
    }

    /// Returns the length of a factor, fixed or symbolic.
    pub fn factor_dim(&self, factor: AxisFactor, data: &Data) -> Dim {
        match (self.factor_size(factor, data), factor) {
            (Some(size), _) => Dim::known(size as i64),
            (None, AxisFactor::Indexed(number)) => Dim::symbol(number),
            (None, AxisFactor::Components) => Dim::known(data.components.len() as i64),
        }
    }

    /// Returns the length of an axis, fixed or symbolic.
    pub fn axis_dim(&self, axis: &Axis, data: &Data) -> Result<Dim> {
        axis.iter().try_fold(Dim::known(1), |dim, &factor| dim.times(&self.factor_dim(factor, data)))
    }

    /// Returns the role of a factor, as far as it is known.
    pub fn factor_role(&self, factor: AxisFactor) -> Option<AxisRole> {
        if let AxisFactor::Indexed(number) = factor { self.factors[number].role } else { None }
    }

    /// Returns the role of an axis of one factor, as far as it is known.
    pub fn axis_role(&self, axis: &Axis) -> Option<AxisRole> {
        if let [factor] = axis[..] { self.factor_role(factor) } else { None }
    }

    /// Returns the name of an axis in error messages.
    pub fn axis_name(&self, axis: &Axis) -> String {
        let names = axis.iter().map(|&factor| match factor {
            AxisFactor::Components => "directions or layers",
            AxisFactor::Indexed(number) => &self.factors[number].name,
        });
        let names: Vec<_> = names.collect();
        if names.is_empty() { "an axis of length 1".to_owned() } else { names.join(" times ") }
    }

    /// Determines the role of an axis. An axis of length 1 without a factor can have any role.
    ///
    /// # Errors
    /// Another role than before, or an axis of several factors.
    pub fn bind_role(&mut self, axis: &Axis, role: AxisRole) -> Result<()> {
        match axis[..] {
            [] => Ok(()),
            [AxisFactor::Indexed(number)] => {
                let info = &mut self.factors[number];
                let known = *info.role.get_or_insert(role);
                ensure!(known == role, "{}: {role:?} here, but {known:?} elsewhere", info.name);
                Ok(())
            }
            _ => bail!("{}: several factors, expected one ({role:?})", self.axis_name(axis)),
        }
    }

    /// Returns the feature axis, if it is known and still there.
    pub fn features_axis(&self, data: &Data) -> Option<usize> {
        let holds =
            |axis: &Axis| axis.iter().any(|&factor| self.factor_role(factor) == Some(AxisRole::Features));
        data.axes.iter().position(holds)
    }

    /// Returns the feature axis for an elementwise operation; `None` for a single feature whose axis has been
    /// removed.
    ///
    /// # Errors
    /// Data whose feature axis is unknown.
    pub fn elementwise_axis(&self, data: &Data) -> Result<Option<usize>> {
        let axis = self.features_axis(data);
        let is_one = match &data.components[..] {
            [Component::Frames(edge)] => edge.node().is_some_and(|node| node.size == 1),
            _ => false,
        };
        ensure!(axis.is_some() || is_one, "the feature axis is unknown");
        Ok(axis)
    }

    /// Returns the feature axis of two tensors of frames, which must have the same axes in the same places:
    /// an elementwise operator joins values by their places, and repeats those of a shorter axis. `None` is
    /// a single feature whose axis has been removed. The features may be those of different layers.
    ///
    /// # Errors
    /// Other axes, or features that share their axis.
    pub fn common_features_axis(&self, a: &Data, b: &Data) -> Result<Option<usize>> {
        let axis = self.features_axis(a);
        let is_features = |data: &Data| {
            axis.is_none_or(|axis| self.axis_role(&data.axes[axis]) == Some(AxisRole::Features))
        };
        let is_same = a.axes.len() == b.axes.len()
            && axis == self.features_axis(b)
            && (0..a.axes.len()).all(|k| Some(k) == axis || a.axes[k] == b.axes[k])
            && is_features(a)
            && is_features(b);
        ensure!(is_same, "tensors of different axes");
        Ok(axis)
    }

    /// Returns the data as the input of a layer whose features lie along `axis`; `None` for a single feature
    /// whose axis has been removed.
    ///
    /// # Errors
    /// Data that is not a sequence of frames with these features.
    pub fn frame_input(&mut self, data: &Data, axis: Option<usize>) -> Result<FrameInput> {
        ensure!(!data.ids, "ids can only be the input of an embedding");
        let is_separate =
            |(k, held): (usize, &Axis)| Some(k) != axis && held.contains(&AxisFactor::Components);
        ensure!(
            !data.axes.iter().enumerate().any(is_separate),
            "directions or layers on an axis of their own, expected features of one frame"
        );
        let mut held = axis.map(|axis| data.axes[axis].clone()).unwrap_or_default();
        let edge = match &data.components[..] {
            [Component::Waiting { input, span }] => Edge { source: Source::Input(input.input), span: *span },
            [Component::InputPart { .. }] if held.is_empty() => self.input_features_of(&data.components)?,
            parts @ [Component::InputPart { .. }, ..] if held[..] == [AxisFactor::Components] => {
                held.clear();
                self.input_features_of(parts)?
            }
            [component] => self.edge_of(component)?.clone(),
            [forward, backward] if held.first() == Some(&AxisFactor::Components) => {
                held.remove(0);
                let (forward, backward) = (self.edge_of(forward)?.clone(), self.edge_of(backward)?.clone());
                self.directions(&forward, &backward, MergeMode::Concat)?
            }
            components => {
                bail!("{} tensors at once, which are not directions of one layer", components.len())
            }
        };
        let is_known = self.axis_role(&held) == Some(AxisRole::Features);
        // The output of a layer has a known feature axis; that of an input is set here.
        ensure!(
            held.is_empty() || is_known || matches!(edge.source, Source::Input(_)),
            "{}: not the feature axis, which is required here",
            self.axis_name(&held)
        );
        self.bind_role(&held, AxisRole::Features)?;
        let is_other = |(k, axis_held): (usize, &Axis)| {
            Some(k) != axis
                && axis_held.iter().any(|&factor| self.factor_role(factor) == Some(AxisRole::Features))
        };
        if let Some((_, left)) = data.axes.iter().enumerate().find(|&(k, held)| is_other((k, held))) {
            bail!("{}: a second feature axis", self.axis_name(left));
        }
        let size = match &edge.source {
            Source::Node(node) => node.size,
            Source::Input(input) => {
                let size = self.axis_size(&held, data);
                let size = size.with_context(|| {
                    format!("{}: the number of features is not fixed", self.axis_name(&held))
                })?;
                self.set_input_features(*input, size)?;
                size
            }
        };
        let edge = match &data.components[..] {
            [Component::Waiting { input, span }] => Edge { span: *span, ..self.resolved(input, size)? },
            _ => edge,
        };
        Ok(FrameInput { edge, size })
    }

    /// Returns the number of features of an input, once a layer has determined it.
    pub fn input_features(&self, input: usize) -> Option<usize> {
        self.features.get(&input).copied()
    }

    /// Sets the number of features of an input.
    ///
    /// # Errors
    /// Another number than before.
    pub fn set_input_features(&mut self, input: usize, size: usize) -> Result<()> {
        let known = *self.features.entry(input).or_insert(size);
        ensure!(known == size, "{}: {known} features in one place, {size} in another", self.inputs[input]);
        Ok(())
    }

    /// Returns the edge of a component that a layer can read.
    ///
    /// # Errors
    /// A cell state, or a part of an input.
    pub fn edge_of<'p>(&self, component: &'p Component) -> Result<&'p Edge> {
        match component {
            Component::Frames(edge) => Ok(edge),
            Component::CellState(node) => {
                bail!("the cell state of {} cannot be the input of a layer", node.name)
            }
            Component::InputPart { input, .. } => {
                bail!("a part of the input {}: neither features nor an initial state", self.inputs[*input])
            }
            Component::Group(_) => bail!("states of several layers cannot be the input of a layer"),
            Component::Waiting { input, .. } => {
                bail!("input {}: the feature axis is unknown", self.inputs[input.input])
            }
        }
    }

    /// Returns the data after a frame-wise layer over `axis`.
    pub fn data_after(&mut self, data: &Data, axis: Option<usize>, edge: Edge) -> Result<Data> {
        let size = edge.node().context("not a layer")?.size;
        let mut axes = data.axes.clone();
        let features = self.add_factor(Some(AxisRole::Features), Some(size), format!("{size} features"));
        match axis {
            Some(axis) => axes[axis] = vec![AxisFactor::Indexed(features)],
            None => ensure!(size == 1, "{size} features, but their axis has been removed"),
        }
        Ok(Data { components: vec![Component::Frames(edge)], axes, ids: false })
    }

    /// Adds a frame-wise layer that reads `edge`.
    pub fn add_layer(
        &self,
        name: &str,
        origin: &str,
        kind: Kind<f32>,
        edge: &Edge,
        size: usize,
    ) -> Result<Edge> {
        // Frame-wise layers are independent of the order in time, so they read frames as computed.
        let input = Edge {
            source: edge.source.clone(),
            span: if edge.span == TimeSpan::Last { TimeSpan::Last } else { WHOLE },
        };
        let node = LayerNode::new(name, origin, LayerOp::Framewise(Rc::new(kind)), input, size)?;
        Ok(Edge { source: Source::Node(Rc::new(node)), span: edge.span })
    }

    /// Replaces the layer of an edge by one of this kind with the same input.
    pub fn replace_layer(&self, edge: &Edge, kind: Kind<f32>) -> Result<Edge> {
        let node = node_of(edge)?.with_kind(kind)?;
        Ok(Edge { source: Source::Node(Rc::new(node)), span: edge.span })
    }
}
