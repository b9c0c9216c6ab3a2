//! A network: layers in a row, over packed batches.

use crate::initializers::{Purpose, stream_of};
use crate::layers::{Compute, Gradients, Kind, Layer, Pass, Trace};
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

/// Initial states: layer by layer those that [`Compute::states`] speaks of, `[hidden x sequences]` each, in the order in
/// which the batch has its sequences. A layer that has none here starts from zeros, and so do layers beyond the end.
pub type States<T> = Vec<Vec<Matrix<T>>>;

/// What a pass in training draws its random numbers from: all of it follows from these, whatever the threads do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// The seed of the run.
    pub seed: u64,
    /// The number of updates made before.
    pub update: u64,
    /// The number of the shard in its batch.
    pub shard: u32,
}

/// What one pass over a shard found.
pub struct ShardGradients<T: Real> {
    /// Of every parameter, in the order of [`Network::parameters`].
    pub parameters: Vec<Matrix<T>>,
    /// What every statistic becomes, in the order of [`Network::statistics`].
    pub statistics: Vec<Matrix<T>>,
    /// How well the shard did.
    pub score: Score,
}

/// What a pass back through all layers found, beside the parameters.
pub struct InputGradients<T: Real> {
    /// Of every parameter, in the order of [`Network::parameters`].
    pub parameters: Vec<Matrix<T>>,
    /// Of the initial states.
    pub initial: States<T>,
    /// Of the frames, `[features x columns]`.
    pub input: Matrix<T>,
}

impl<T: Real> Network<T> {
    fn all(&self) -> impl DoubleEndedIterator<Item = &dyn Compute<T>> {
        self.layers.iter().map(|layer| layer.kind.get())
    }

    /// The number of values that come out, a frame or a sequence.
    pub fn output_size(&self) -> usize {
        self.layers.last().map_or(self.input_size, |layer| layer.kind.get().output_size())
    }

    /// Whether something comes out for every frame, and not once for the sequence.
    pub fn returns_sequences(&self) -> bool {
        self.all().all(Compute::keeps_time)
    }

    /// Everything that is trained, in a fixed order.
    pub fn parameters(&self) -> Vec<&Matrix<T>> {
        self.all().flat_map(Compute::parameters).map(|(_, value)| value).collect()
    }

    /// The same, to change.
    pub fn parameters_mut(&mut self) -> Vec<&mut Matrix<T>> {
        self.layers.iter_mut().flat_map(|layer| layer.kind.get_mut().parameters_mut()).collect()
    }

    /// Everything that training learns without gradients, in a fixed order.
    pub fn statistics(&self) -> Vec<&Matrix<T>> {
        self.all().flat_map(Compute::statistics).collect()
    }

    /// The same, to change.
    pub fn statistics_mut(&mut self) -> Vec<&mut Matrix<T>> {
        self.layers.iter_mut().flat_map(|layer| layer.kind.get_mut().statistics_mut()).collect()
    }

    /// The same network in another kind of number.
    pub fn cast<U: Real>(&self) -> Network<U> {
        let layer = |layer: &Layer<T>| Layer { name: layer.name.clone(), kind: layer.kind.cast() };
        Network { input_size: self.input_size, layers: self.layers.iter().map(layer).collect() }
    }

    /// What comes out for a packed batch, `[out x columns]`.
    pub fn forward(&self, input: &Flow<T>) -> Matrix<T> {
        self.forward_from(input, &States::new())
    }

    /// [`Network::forward`] from states other than zeros.
    pub fn forward_from(&self, input: &Flow<T>, initial: &States<T>) -> Matrix<T> {
        self.trace(input, initial, None).pop().map_or_else(|| input.values.clone(), |t| t.output.values)
    }

    /// What each layer does with a packed batch, first to last.
    pub fn trace(&self, input: &Flow<T>, initial: &States<T>, draw: Option<Draw>) -> Vec<Trace<T>> {
        let mut traces: Vec<Trace<T>> = Vec::with_capacity(self.layers.len());
        for (k, layer) in self.layers.iter().enumerate() {
            let pass = Pass {
                initial: initial.get(k).map_or(&[], Vec::as_slice),
                training: draw.map(|Draw { seed, update, shard }| {
                    stream_of(seed, Purpose::Dropout, update, u64::from(shard) << 32 | k as u64)
                }),
            };
            let trace = layer.kind.get().forward(traces.last().map_or(input, |trace| &trace.output), pass);
            traces.push(trace);
        }
        traces
    }

    /// The gradients of the mean loss over `columns` columns, of which this shard is a part; and the shard's score.
    pub fn gradients(
        &self,
        input: &Flow<T>,
        targets: &Targets<T>,
        columns: usize,
        draw: Draw,
    ) -> ShardGradients<T> {
        let traces = self.trace(input, &States::new(), Some(draw));
        let output = &traces.last().expect("a network has layers").output.values;
        let score = targets.score(output);
        // Before the first layer with parameters there is nothing to learn.
        let first = self.all().position(|layer| !layer.parameters().is_empty()).unwrap_or(0);
        let found = self.back(input, &traces, targets.gradient(output, columns), first);
        let parameters = found.into_iter().flat_map(|gradients| gradients.parameters).collect();
        let statistics = traces.into_iter().flat_map(|trace| trace.statistics).collect();
        ShardGradients { parameters, statistics, score }
    }

    /// From the gradient of the output, `[out x columns]`, to those of the parameters, the initial states and the frames.
    pub fn backward(&self, input: &Flow<T>, traces: &[Trace<T>], d_output: Matrix<T>) -> InputGradients<T> {
        let found = self.back(input, traces, LossGradient::Output(d_output), 0);
        let (first, trace) = (&self.layers[0].kind, &traces[0]);
        let input = first.get().input_gradient(input, trace, &found[0]);
        let (parameters, initial): (Vec<_>, _) = found.into_iter().map(|g| (g.parameters, g.initial)).unzip();
        InputGradients { parameters: parameters.concat(), initial, input }
    }

    /// What going back from the last layer to layer `first` finds in each of these, `first` first.
    fn back(
        &self,
        input: &Flow<T>,
        traces: &[Trace<T>],
        mut arriving: LossGradient<T>,
        first: usize,
    ) -> Vec<Gradients<T>> {
        let mut found = Vec::with_capacity(self.layers.len());
        for (k, layer) in self.layers.iter().enumerate().skip(first).rev() {
            let input = if k == 0 { input } else { &traces[k - 1].output };
            let gradients = backward(&layer.kind, input, &traces[k], arriving);
            let passed = if k > first {
                layer.kind.get().input_gradient(input, &traces[k], &gradients)
            } else {
                Matrix::zeros(0, 0)
            };
            arriving = LossGradient::Output(passed);
            found.push(gradients);
        }
        found.reverse();
        found
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
        (_, LossGradient::Output(d)) => kind.get().backward(input, trace, d),
        (Kind::Dense(layer), LossGradient::Sums(d)) => layer.backward_sums(input, d),
        (_, LossGradient::Sums(_)) => {
            unreachable!("labels need a softmax layer at the end: checked by the config")
        }
    }
}
