//! A network: layers in a row, over packed batches; and the same written out plainly, as the reference.

use crate::layers::{Gradients, Kind, Layer, Trace};
use crate::loss::{LossGradient, Score, Targets};
use crate::tensor::{Flow, Matrix, Real};

/// Layers in a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Network<T: Real> {
    /// The number of features of a frame.
    pub input_size: usize,
    /// From the input to the output.
    pub layers: Vec<Layer<T>>,
}

/// What one pass over a shard found.
pub struct ShardGradients<T: Real> {
    /// Of every parameter, in the order of [`Network::parameters`].
    pub parameters: Vec<Matrix<T>>,
    /// How well the shard did.
    pub score: Score,
}

impl<T: Real> Network<T> {
    /// The number of values that come out, a frame or a sequence.
    pub fn output_size(&self) -> usize {
        self.layers.last().map_or(self.input_size, |layer| layer.kind.output_size())
    }

    /// Whether something comes out for every frame, and not once for the sequence.
    pub fn returns_sequences(&self) -> bool {
        self.layers.iter().all(|layer| match &layer.kind {
            Kind::Recurrent(layer) => layer.return_sequences,
            Kind::Normalization(_) | Kind::Dense(_) => true,
        })
    }

    /// Everything that is trained, in a fixed order.
    pub fn parameters(&self) -> Vec<&Matrix<T>> {
        self.layers.iter().flat_map(|layer| layer.kind.parameters()).map(|(_, value)| value).collect()
    }

    /// The same, to change.
    pub fn parameters_mut(&mut self) -> Vec<&mut Matrix<T>> {
        self.layers.iter_mut().flat_map(|layer| layer.kind.parameters_mut()).collect()
    }

    /// The same network in another kind of number.
    pub fn cast<U: Real>(&self) -> Network<U> {
        let layer = |layer: &Layer<T>| Layer { name: layer.name.clone(), kind: layer.kind.cast() };
        Network { input_size: self.input_size, layers: self.layers.iter().map(layer).collect() }
    }

    /// What comes out for a packed batch, `[out x columns]`.
    pub fn forward(&self, input: &Flow<T>) -> Matrix<T> {
        self.trace(input).pop().map_or_else(|| input.values.clone(), |trace| trace.output.values)
    }

    fn trace(&self, input: &Flow<T>) -> Vec<Trace<T>> {
        let mut traces: Vec<Trace<T>> = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let trace = layer.kind.forward(traces.last().map_or(input, |trace| &trace.output));
            traces.push(trace);
        }
        traces
    }

    /// The gradients of the mean loss over `columns` columns, of which this shard is a part; and the shard's score.
    pub fn gradients(&self, input: &Flow<T>, targets: &Targets<T>, columns: usize) -> ShardGradients<T> {
        let traces = self.trace(input);
        let output = &traces.last().expect("a network has layers").output.values;
        let score = targets.score(output);
        let mut arriving = targets.gradient(output, columns);
        let mut found = Vec::with_capacity(self.layers.len());
        for (k, layer) in self.layers.iter().enumerate().rev() {
            let input = if k == 0 { input } else { &traces[k - 1].output };
            let gradients = backward(&layer.kind, input, &traces[k], arriving);
            // Before the first layer with parameters there is nothing to learn.
            if self.layers[..k].iter().all(|layer| layer.kind.parameters().is_empty()) {
                found.push(gradients.parameters);
                break;
            }
            arriving = LossGradient::Output(layer.kind.input_gradient(&gradients));
            found.push(gradients.parameters);
        }
        ShardGradients { parameters: found.into_iter().rev().flatten().collect(), score }
    }
}

/// One layer back, by way of its output or directly of its sums.
fn backward<T: Real>(
    kind: &Kind<T>,
    input: &Flow<T>,
    trace: &Trace<T>,
    arriving: LossGradient<T>,
) -> Gradients<T> {
    match (kind, arriving) {
        (_, LossGradient::Output(d)) => kind.backward(input, trace, d),
        (Kind::Dense(layer), LossGradient::Sums(d)) => layer.backward_sums(input, d),
        (_, LossGradient::Sums(_)) => {
            unreachable!("labels need a softmax layer at the end: checked by the config")
        }
    }
}
