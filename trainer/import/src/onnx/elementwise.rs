//! The layers of functions of single values ([`crate::composed`]) on the edges of the graph.

use std::cell::OnceCell;
use std::rc::Rc;

use anyhow::{Result, ensure};

use super::call::Call;
use super::context::{FrameInput, GraphContext};
use super::layer_graph::{Edge, Source, TimeSpan, WHOLE};
use super::value::{Component, Data, Value};
use super::waiting::{LayerName, Parameterized, WaitingInput};
use crate::composed::Elementwise;
use embedded_rnn_nn::activation::Activation;
use embedded_rnn_nn::layers::{BatchNormalization, Dense, Kind};
use embedded_rnn_nn::tensor::Matrix;

/// The maximum number of functions that wait for the feature axis of an input.
const MAX_WAITING: usize = 64;

impl LayerName {
    /// Returns the name of the layer of a node.
    pub fn of(call: &Call<'_>) -> Self {
        Self { name: call.name.clone(), origin: call.origin.clone() }
    }
}

impl GraphContext<'_> {
    /// Applies functions to every value, one after another.
    ///
    /// # Errors
    /// Data that is not a sequence of frames, or a parameter that is not finite.
    pub fn elementwise(
        &mut self,
        call: &Call<'_>,
        data: &Data,
        functions: &[Elementwise],
    ) -> Result<Vec<Value>> {
        ensure!(!data.ids, "arithmetic on ids");
        if functions.is_empty() {
            return Ok(vec![Value::Data(data.clone())]);
        }
        let name = LayerName::of(call);
        if let (None, Some((input, span))) = (self.features_axis(data), waiting(data, &name, functions)) {
            ensure!(input.functions.len() <= MAX_WAITING, "more than {MAX_WAITING} functions of an input");
            let components = vec![Component::Waiting { input: Rc::new(input), span }];
            return Ok(vec![Value::Data(Data { components, ..data.clone() })]);
        }
        let axis = self.elementwise_axis(data)?;
        let FrameInput { mut edge, size } = self.frame_input(data, axis)?;
        for &function in functions {
            edge = self.with_function(&name, &edge, size, function)?;
        }
        Ok(vec![Value::Data(self.data_after(data, axis, edge)?)])
    }

    /// Applies a function with a parameter per feature along `axis`.
    ///
    /// # Errors
    /// As [`Self::elementwise`], or another number of parameters than features.
    pub fn each_feature(
        &mut self,
        call: &Call<'_>,
        data: &Data,
        axis: usize,
        (function, parameters): (Parameterized, Matrix<f32>),
    ) -> Result<Vec<Value>> {
        let axis = Some(axis).filter(|&axis| !data.axes[axis].is_empty());
        let FrameInput { edge, size } = self.frame_input(data, axis)?;
        ensure!(parameters.nrows() == size, "{} constants for {size} features", parameters.nrows());
        let edge = self.with_parameters(&LayerName::of(call), &edge, function, parameters)?;
        Ok(vec![Value::Data(self.data_after(data, axis, edge)?)])
    }

    /// Returns the edge behind an input and its waiting functions, now that its number of features is known.
    ///
    /// # Errors
    /// A parameter that is not finite.
    pub fn resolved(&mut self, waiting: &WaitingInput, size: usize) -> Result<Edge> {
        if let Some(edge) = waiting.edge.get() {
            return Ok(edge.clone());
        }
        let mut edge = Edge { source: Source::Input(waiting.input), span: WHOLE };
        for (name, function) in &waiting.functions {
            edge = self.with_function(name, &edge, size, *function)?;
        }
        Ok(waiting.edge.get_or_init(|| edge).clone())
    }

    fn with_function(
        &mut self,
        name: &LayerName,
        edge: &Edge,
        size: usize,
        function: Elementwise,
    ) -> Result<Edge> {
        self.spend(size)?;
        let all = |value| Matrix::repeat(size, 1, value);
        match function {
            Elementwise::Scale(value) => self.with_parameters(name, edge, Parameterized::Scale, all(value)),
            Elementwise::Offset(value) => self.with_parameters(name, edge, Parameterized::Offset, all(value)),
            Elementwise::Function(_) => {
                self.add_layer(&name.name, &name.origin, function.kind(size), edge, size)
            }
        }
    }

    fn with_parameters(
        &mut self,
        name: &LayerName,
        edge: &Edge,
        function: Parameterized,
        parameters: Matrix<f32>,
    ) -> Result<Edge> {
        ensure!(parameters.iter().all(|value| value.is_finite()), "a constant that is not finite");
        match function {
            Parameterized::Scale => self.scaled(name, edge, parameters),
            Parameterized::Offset => self.shifted(name, edge, parameters),
            Parameterized::LeakyRelu => self.leaky(name, edge, parameters.as_slice()),
        }
    }

    /// Multiplies the features: by a new layer, or by the scales of the layer before.
    fn scaled(&mut self, name: &LayerName, edge: &Edge, factors: Matrix<f32>) -> Result<Edge> {
        let size = factors.nrows();
        if let Some(Kind::BatchNormalization(layer)) = edge.framewise() {
            let (gamma, beta) = (layer.gamma.component_mul(&factors), layer.beta.component_mul(&factors));
            let layer = BatchNormalization { gamma, beta, ..layer.clone() };
            return self.replace_layer(edge, Kind::BatchNormalization(layer));
        }
        let layer = BatchNormalization::affine(factors, Matrix::zeros(size, 1));
        self.add_layer(&name.name, &name.origin, Kind::BatchNormalization(layer), edge, size)
    }

    /// Adds to the features: by the bias of the layer before, or by a new layer. That one has a mean, which
    /// exporters subtract before they divide: its product with the scale would lose digits.
    fn shifted(&mut self, name: &LayerName, edge: &Edge, offsets: Matrix<f32>) -> Result<Edge> {
        let size = offsets.nrows();
        match edge.framewise() {
            Some(Kind::Dense(dense)) if dense.activation == Activation::Linear => {
                self.spend(dense.weight.len())?;
                let dense = Dense { bias: &dense.bias + offsets, use_bias: true, ..dense.clone() };
                self.replace_layer(edge, Kind::Dense(dense))
            }
            Some(Kind::BatchNormalization(layer)) => {
                let layer = BatchNormalization { beta: &layer.beta + offsets, ..layer.clone() };
                self.replace_layer(edge, Kind::BatchNormalization(layer))
            }
            _ => {
                let ones = Matrix::repeat(size, 1, 1.0);
                let layer = BatchNormalization::affine(ones, Matrix::zeros(size, 1));
                let layer = BatchNormalization { moving_mean: -offsets, ..layer };
                self.add_layer(&name.name, &name.origin, Kind::BatchNormalization(layer), edge, size)
            }
        }
    }
}

/// Returns data of an input, with further functions that wait for its feature axis.
fn waiting(data: &Data, name: &LayerName, functions: &[Elementwise]) -> Option<(WaitingInput, TimeSpan)> {
    let (input, mut all, span) = match &data.components[..] {
        [Component::Frames(Edge { source: Source::Input(input), span })] => (*input, Vec::new(), *span),
        [Component::Waiting { input, span }] => (input.input, input.functions.clone(), *span),
        _ => return None,
    };
    all.extend(functions.iter().map(|&function| (name.clone(), function)));
    Some((WaitingInput { input, functions: all, edge: OnceCell::new() }, span))
}
