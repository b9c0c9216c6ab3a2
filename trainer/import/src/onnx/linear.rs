//! Dense layers that stand for other operators. The Dense layer before takes them in, if it is linear.

use anyhow::{Context as _, Result, ensure};

use super::context::{FrameInput, GraphContext};
use super::layer_graph::{Edge, Source, WHOLE};
use super::value::{Component, Data};
use super::waiting::LayerName;
use crate::composed::{Elementwise, leaky_relus, one_leaky_relu};
use embedded_rnn_nn::activation::Activation;
use embedded_rnn_nn::layers::{Dense, Kind};
use embedded_rnn_nn::tensor::Matrix;

/// A linear function of the frames of an edge.
struct Linear {
    input: Edge,
    weight: Matrix<f32>,
    bias: Matrix<f32>,
}

impl Linear {
    /// Returns the function of a linear Dense layer, or the identity of any other edge.
    ///
    /// # Errors
    /// An exhausted memory budget.
    fn before(context: &mut GraphContext<'_>, edge: &Edge, size: usize) -> Result<Self> {
        if let (Some(Kind::Dense(dense)), Some(node)) = (edge.framewise(), edge.node())
            && dense.activation == Activation::Linear
        {
            context.spend(dense.weight.len())?;
            let input = Edge { source: node.input.source.clone(), span: edge.span };
            return Ok(Self { input, weight: dense.weight.clone(), bias: dense.bias.clone() });
        }
        context.spend(size.saturating_mul(size))?;
        let weight = Matrix::identity(size, size);
        Ok(Self { input: edge.clone(), weight, bias: Matrix::zeros(size, 1) })
    }
}

impl GraphContext<'_> {
    /// Adds a leaky relu with a slope per feature: both halves of the features, and their join; or one
    /// function, if all slopes are equal.
    ///
    /// # Errors
    /// An exhausted memory budget.
    pub fn leaky(&mut self, name: &LayerName, edge: &Edge, slopes: &[f32]) -> Result<Edge> {
        let size = slopes.len();
        if let Some(function) = one_leaky_relu(slopes) {
            let kind = Elementwise::Function(function).kind(size);
            return self.add_layer(&name.name, &name.origin, kind, edge, size);
        }
        let Linear { input, weight, bias } = Linear::before(self, edge, size)?;
        self.spend((weight.len() + size * size).saturating_mul(2))?;
        let [halves, joined] = leaky_relus(&weight, &bias, slopes).map(Kind::Dense);
        let edge = self.add_layer(&name.name, &name.origin, halves, &input, 2 * size)?;
        self.add_layer(&name.name, &name.origin, joined, &edge, size)
    }

    /// Returns the selected features along an axis.
    ///
    /// # Errors
    /// Data whose features do not lie along the axis, or no features.
    pub fn selected_features(
        &mut self,
        name: &LayerName,
        data: &Data,
        axis: usize,
        indices: &[usize],
    ) -> Result<Data> {
        let FrameInput { edge, size } = self.frame_input(data, Some(axis))?;
        let edge = self.selection(name, &edge, size, indices)?;
        self.data_after(data, Some(axis), edge)
    }

    /// Returns the edge of features of an input, whose parts turned out to be features. Each selection is one
    /// layer, whatever reads it.
    ///
    /// # Errors
    /// Parts of several inputs, or another number of features than elsewhere.
    pub fn input_features_of(&mut self, parts: &[Component]) -> Result<Edge> {
        let indices = parts.iter().map(|part| match part {
            Component::InputPart { input, places } => match places[..] {
                [place] => Some((*input, place.count, place.index)),
                _ => None,
            },
            _ => None,
        });
        let indices = indices.collect::<Option<Vec<_>>>().context("parts of an input and other tensors")?;
        let &(input, count, _) = indices.first().context("no features")?;
        ensure!(indices.iter().all(|&(other, ..)| other == input), "parts of several inputs");
        let indices: Vec<usize> = indices.into_iter().map(|(.., index)| index).collect();
        let known = self.selections.iter().find(|(selected, _)| *selected == (input, indices.clone()));
        if let Some((_, edge)) = known {
            return Ok(edge.clone());
        }
        self.set_input_features(input, count)?;
        let of = self.inputs[input];
        let name = LayerName { name: format!("{of}_features"), origin: format!("ONNX features of {of}") };
        let whole = Edge { source: Source::Input(input), span: WHOLE };
        let edge = self.selection(&name, &whole, count, &indices)?;
        self.selections.push(((input, indices), edge.clone()));
        Ok(edge)
    }

    fn selection(&mut self, name: &LayerName, edge: &Edge, size: usize, indices: &[usize]) -> Result<Edge> {
        ensure!(!indices.is_empty(), "no features");
        let Linear { input, weight, bias } = Linear::before(self, edge, size)?;
        self.spend(weight.len().saturating_add(weight.ncols().saturating_mul(indices.len())))?;
        let (weight, bias) = (weight.select_rows(indices), bias.select_rows(indices));
        let kind = Kind::Dense(Dense::from_weights(weight, bias, Activation::Linear));
        self.add_layer(&name.name, &name.origin, kind, &input, indices.len())
    }
}
