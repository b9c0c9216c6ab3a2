//! A network: a chain of layers, or an encoder and a decoder chain connected by their states, over packed
//! batches.

mod encoder_decoder;
mod gradient_norms;

pub use gradient_norms::GradientNorms;

use crate::data::Batch;
use crate::initializers::{Purpose, stream_of};
use crate::layers::{ForwardCache, Gradients, Kind, Layer, Module, Pass};
use crate::loss::{LossGradient, Objective, Score};
use crate::packed::PackedSequence;
use crate::tensor::{Matrix, Real};

/// A chain of layers; in an encoder-decoder the encoder.
#[derive(Clone, Debug, PartialEq)]
pub struct Network<T: Real> {
    /// The number of features of a frame.
    pub input_size: usize,
    /// The layers, from the input to the output.
    pub layers: Vec<Layer<T>>,
    /// The decoder, which starts from the final states of these layers and computes the output instead of
    /// them.
    pub decoder: Option<Box<Network<T>>>,
}

/// Initial states: the states of each layer as [`Module::states`] lists them, `[hidden x sequences]` each, in
/// the order of the sequences of the batch. A layer without an entry, and one beyond the end, starts from its
/// own initial states.
pub type States<T> = Vec<Vec<Matrix<T>>>;

/// The seed of the random numbers of a training pass. It determines all of them, independently of the number
/// of threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RngSeed {
    /// The seed of the run.
    pub seed: u64,
    /// The number of updates made so far.
    pub update: u64,
    /// The index of the shard in its batch.
    pub shard: u32,
    /// The number of layers in the chains before this one.
    pub layer: u32,
}

/// The gradients, statistics and score of one pass over a shard.
pub struct ShardGradients<T: Real> {
    /// The gradient of every parameter, in the order of [`Network::parameters`].
    pub parameters: Vec<Matrix<T>>,
    /// The new value of every statistic, in the order of [`Network::statistics`].
    pub statistics: Vec<Matrix<T>>,
    /// The score of the shard.
    pub score: Score,
}

impl<T: Real> ShardGradients<T> {
    /// Collects the results of the layers of a chain, in their order.
    fn new(found: Vec<Gradients<T>>, caches: Vec<ForwardCache<T>>, score: Score) -> Self {
        let parameters = found.into_iter().flat_map(|gradients| gradients.parameters).collect();
        let statistics = caches.into_iter().flat_map(|cache| cache.statistics).collect();
        Self { parameters, statistics, score }
    }
}

/// The gradients of a backward pass through all layers.
pub struct InputGradients<T: Real> {
    /// The gradient of every parameter, in the order of [`Network::parameters`].
    pub parameters: Vec<Matrix<T>>,
    /// The gradients of the initial states.
    pub initial: States<T>,
    /// The gradient of the frames, `[features x columns]`.
    pub input: Matrix<T>,
}

impl<T: Real> Network<T> {
    /// Builds a network from one chain of layers.
    pub fn new(input_size: usize, layers: Vec<Layer<T>>) -> Self {
        Self { input_size, layers, decoder: None }
    }

    /// Iterates over the layers, followed by those of the decoder.
    pub fn all_layers(&self) -> impl Iterator<Item = &Layer<T>> {
        self.layers.iter().chain(self.decoder.iter().flat_map(|decoder| &decoder.layers))
    }

    /// Iterates over mutable references to all layers, in the same order.
    pub fn all_layers_mut(&mut self) -> impl Iterator<Item = &mut Layer<T>> {
        self.layers.iter_mut().chain(self.decoder.iter_mut().flat_map(|decoder| &mut decoder.layers))
    }

    fn all(&self) -> impl Iterator<Item = &dyn Module<T>> {
        self.all_layers().map(|layer| layer.kind.get())
    }

    /// Returns the chain that computes the output.
    fn last_chain(&self) -> &Self {
        self.decoder.as_deref().unwrap_or(self)
    }

    /// Returns the sizes of the states of each layer that has any, without those of a decoder.
    pub(crate) fn state_sizes(&self) -> Vec<Vec<usize>> {
        let sizes = self.layers.iter().map(|layer| layer.kind.get().states());
        sizes.filter(|sizes| !sizes.is_empty()).collect()
    }

    /// Returns the number of output values per frame or per sequence.
    pub fn output_size(&self) -> usize {
        let last = self.last_chain();
        last.layers.last().map_or(last.input_size, |layer| layer.kind.get().output_size())
    }

    /// Returns `true` if the network computes an output for every frame, not one per sequence.
    pub fn returns_sequences(&self) -> bool {
        self.last_chain().layers.iter().all(|layer| layer.kind.get().keeps_time())
    }

    /// Returns all trained parameters, in a fixed order.
    pub fn parameters(&self) -> Vec<&Matrix<T>> {
        self.all().flat_map(Module::parameters).map(|(_, value)| value).collect()
    }

    /// Returns mutable references to all trained parameters, in the same order.
    pub fn parameters_mut(&mut self) -> Vec<&mut Matrix<T>> {
        self.all_layers_mut().flat_map(|layer| layer.kind.get_mut().parameters_mut()).collect()
    }

    /// Returns all statistics that training updates without gradients, in a fixed order.
    pub fn statistics(&self) -> Vec<&Matrix<T>> {
        self.all().flat_map(Module::statistics).collect()
    }

    /// Returns mutable references to all statistics, in the same order.
    pub fn statistics_mut(&mut self) -> Vec<&mut Matrix<T>> {
        self.all_layers_mut().flat_map(|layer| layer.kind.get_mut().statistics_mut()).collect()
    }

    /// Converts the network to another number type.
    pub fn cast<U: Real>(&self) -> Network<U> {
        let layer = |layer: &Layer<T>| Layer { name: layer.name.clone(), kind: layer.kind.cast() };
        Network {
            input_size: self.input_size,
            layers: self.layers.iter().map(layer).collect(),
            decoder: self.decoder.as_ref().map(|decoder| Box::new(decoder.cast())),
        }
    }

    /// Returns the output of the layers, without the decoder, for packed frames: `[out x columns]`.
    pub fn forward(&self, input: &PackedSequence<T>) -> Matrix<T> {
        self.forward_from(input, &States::new())
    }

    /// Runs [`Network::forward`] from the given initial states.
    pub fn forward_from(&self, input: &PackedSequence<T>, initial: &States<T>) -> Matrix<T> {
        self.forward_caches(input, initial, None)
            .pop()
            .map_or_else(|| input.values.clone(), |t| t.output.values)
    }

    /// Runs all layers over a packed batch and returns the cache of each, first to last.
    pub fn forward_caches(
        &self,
        input: &PackedSequence<T>,
        initial: &States<T>,
        rng_seed: Option<RngSeed>,
    ) -> Vec<ForwardCache<T>> {
        let mut caches: Vec<ForwardCache<T>> = Vec::with_capacity(self.layers.len());
        for (k, layer) in self.layers.iter().enumerate() {
            let pass = Pass {
                initial: initial.get(k).map_or(&[], Vec::as_slice),
                training: rng_seed.map(|RngSeed { seed, update, shard, layer }| {
                    let part = u64::from(shard) << 32 | (u64::from(layer) + k as u64);
                    stream_of(seed, Purpose::Dropout, update, part)
                }),
            };
            let input_of = |k: usize| if k == 0 { input } else { &caches[k - 1].output };
            let operands = layer.kind.span().map(|span| input_of(k).beside(input_of(k - span)));
            let cache = layer.kind.get().forward(operands.as_ref().unwrap_or(input_of(k)), pass);
            caches.push(cache);
        }
        caches
    }

    /// Returns the final states of each layer, in the order of [`States`].
    pub fn final_states(&self, input: &PackedSequence<T>, caches: &[ForwardCache<T>]) -> States<T> {
        let inputs = std::iter::once(input).chain(caches.iter().map(|cache| &cache.output));
        let layers = self.layers.iter().zip(inputs).zip(caches);
        layers.map(|((layer, input), cache)| layer.kind.get().final_states(input, cache)).collect()
    }

    /// Returns the output for a whole batch, `[out x columns]`. The decoder of an encoder-decoder is
    /// teacher-forced: its input at each time step is the previous target class.
    pub fn output(&self, batch: &Batch<T>) -> Matrix<T> {
        match self.pair(batch) {
            Some(pair) => pair.output(),
            None => self.forward(&batch.input),
        }
    }

    /// Returns the gradients of the mean loss over `columns` columns, of which this shard is a part, and the
    /// shard's score.
    pub fn gradients(
        &self,
        batch: &Batch<T>,
        objective: &Objective,
        columns: usize,
        rng_seed: RngSeed,
    ) -> ShardGradients<T> {
        if let Some(pair) = self.pair(batch) {
            return pair.gradients(batch, objective, columns, rng_seed);
        }
        let caches = self.forward_caches(&batch.input, &States::new(), Some(rng_seed));
        let output = &caches.last().expect("a network has layers").output.values;
        let score = batch.score(objective, output);
        let arriving = batch.gradient(objective, output, columns);
        let found = self.back(&batch.input, &caches, arriving, &States::new(), self.first_trained());
        ShardGradients::new(found, caches, score)
    }

    /// Returns the index of the first layer with parameters; the backward pass ends there.
    fn first_trained(&self) -> usize {
        self.layers.iter().position(|layer| !layer.kind.get().parameters().is_empty()).unwrap_or(0)
    }

    /// Computes the gradients of the parameters, the initial states and the frames from those of the output,
    /// `[out x columns]`, and of the final states.
    pub fn backward(
        &self,
        input: &PackedSequence<T>,
        caches: &[ForwardCache<T>],
        d_output: Matrix<T>,
        d_final: &States<T>,
    ) -> InputGradients<T> {
        let found = self.back(input, caches, LossGradient::Output(d_output), d_final, 0);
        let (first, cache) = (&self.layers[0].kind, &caches[0]);
        let mut input = first.get().input_gradient(input, cache, &found[0]);
        for (k, layer) in self.layers.iter().enumerate().filter(|(k, layer)| layer.kind.span() == Some(*k)) {
            input += layer.kind.get().input_gradient(&caches[k - 1].output, &caches[k], &found[k]);
        }
        let (parameters, initial): (Vec<_>, _) = found.into_iter().map(|g| (g.parameters, g.initial)).unzip();
        InputGradients { parameters: parameters.concat(), initial, input }
    }

    /// Runs the backward pass from the last layer to layer `first` and returns the gradients of each, `first`
    /// first.
    fn back(
        &self,
        input: &PackedSequence<T>,
        caches: &[ForwardCache<T>],
        mut arriving: LossGradient<T>,
        d_final: &States<T>,
        first: usize,
    ) -> Vec<Gradients<T>> {
        let mut found = Vec::with_capacity(self.layers.len());
        // The gradients of the inputs of layers that residual connections read, too.
        let mut residual: Vec<Option<Matrix<T>>> = vec![None; self.layers.len()];
        for (k, layer) in self.layers.iter().enumerate().skip(first).rev() {
            let input = if k == 0 { input } else { &caches[k - 1].output };
            let d_final = d_final.get(k).map_or(&[][..], Vec::as_slice);
            let gradients = backward(&layer.kind, input, &caches[k], arriving, d_final);
            let mut passed = if k > first {
                layer.kind.get().input_gradient(input, &caches[k], &gradients)
            } else {
                Matrix::zeros(0, 0)
            };
            if let Some(span) = layer.kind.span() {
                add_to(&mut residual[k - span], &passed);
            }
            if let Some(other) = residual[k].take().filter(|_| k > first) {
                passed += other;
            }
            arriving = LossGradient::Output(passed);
            found.push(gradients);
        }
        found.reverse();
        found
    }
}

/// Adds a gradient to a sum of gradients, which may be empty.
fn add_to<T: Real>(sum: &mut Option<Matrix<T>>, gradient: &Matrix<T>) {
    *sum = Some(sum.take().map_or_else(|| gradient.clone(), |sum| sum + gradient));
}

/// Runs the backward pass of one layer, from the gradient of its output or directly of its pre-activations.
fn backward<T: Real>(
    kind: &Kind<T>,
    input: &PackedSequence<T>,
    cache: &ForwardCache<T>,
    arriving: LossGradient<T>,
    d_final: &[Matrix<T>],
) -> Gradients<T> {
    match arriving {
        LossGradient::Output(d) => kind.get().backward(input, cache, d, d_final),
        LossGradient::PreActivations(d) => {
            let found = kind.get().backward_pre_activations(input, d);
            found.expect("a cross-entropy needs a softmax or sigmoid at the end, as checked")
        }
    }
}
