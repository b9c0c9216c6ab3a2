//! A network: layers in a row, or two such rows that hand on a state, over packed batches.

mod encoder_decoder;

use crate::data::Batch;
use crate::initializers::{Purpose, stream_of};
use crate::layers::{ForwardCache, Gradients, Kind, Layer, Module, Pass};
use crate::loss::{LossGradient, Score};
use crate::packed::PackedSequence;
use crate::tensor::{Matrix, Real};

/// Layers in a row; in an encoder-decoder those of the encoder.
#[derive(Clone, Debug, PartialEq)]
pub struct Network<T: Real> {
    /// The number of features of a frame.
    pub input_size: usize,
    /// From the input to the output.
    pub layers: Vec<Layer<T>>,
    /// What goes on from the final states of these layers, and gives the answers instead of them.
    pub decoder: Option<Box<Network<T>>>,
}

/// Initial states: layer by layer those that [`Module::states`] speaks of, `[hidden x sequences]` each, in the order in
/// which the batch has its sequences. A layer that has none here starts from zeros, and so do layers beyond the end.
pub type States<T> = Vec<Vec<Matrix<T>>>;

/// What a pass in training draws its random numbers from: all of it follows from these, whatever the threads do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RngSeed {
    /// The seed of the run.
    pub seed: u64,
    /// The number of updates made before.
    pub update: u64,
    /// The number of the shard in its batch.
    pub shard: u32,
    /// The number of layers in chains before.
    pub layer: u32,
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

impl<T: Real> ShardGradients<T> {
    /// Of layers in a row, in the order of these.
    fn new(found: Vec<Gradients<T>>, caches: Vec<ForwardCache<T>>, score: Score) -> Self {
        let parameters = found.into_iter().flat_map(|gradients| gradients.parameters).collect();
        let statistics = caches.into_iter().flat_map(|cache| cache.statistics).collect();
        Self { parameters, statistics, score }
    }
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
    /// Of one row of layers.
    pub fn new(input_size: usize, layers: Vec<Layer<T>>) -> Self {
        Self { input_size, layers, decoder: None }
    }

    /// The layers, and after them those of the decoder.
    pub fn all_layers(&self) -> impl Iterator<Item = &Layer<T>> {
        self.layers.iter().chain(self.decoder.iter().flat_map(|decoder| &decoder.layers))
    }

    /// The same, to change.
    pub fn all_layers_mut(&mut self) -> impl Iterator<Item = &mut Layer<T>> {
        self.layers.iter_mut().chain(self.decoder.iter_mut().flat_map(|decoder| &mut decoder.layers))
    }

    fn all(&self) -> impl Iterator<Item = &dyn Module<T>> {
        self.all_layers().map(|layer| layer.kind.get())
    }

    /// The chain that gives the answers.
    fn last_chain(&self) -> &Self {
        self.decoder.as_deref().unwrap_or(self)
    }

    /// Returns the sizes of the states of each layer that has any, without those of a decoder.
    pub(crate) fn state_sizes(&self) -> Vec<Vec<usize>> {
        let sizes = self.layers.iter().map(|layer| layer.kind.get().states());
        sizes.filter(|sizes| !sizes.is_empty()).collect()
    }

    /// The number of values that come out, a frame or a sequence.
    pub fn output_size(&self) -> usize {
        let last = self.last_chain();
        last.layers.last().map_or(last.input_size, |layer| layer.kind.get().output_size())
    }

    /// Whether something comes out for every frame, and not once for the sequence.
    pub fn returns_sequences(&self) -> bool {
        self.last_chain().layers.iter().all(|layer| layer.kind.get().keeps_time())
    }

    /// Everything that is trained, in a fixed order.
    pub fn parameters(&self) -> Vec<&Matrix<T>> {
        self.all().flat_map(Module::parameters).map(|(_, value)| value).collect()
    }

    /// The same, to change.
    pub fn parameters_mut(&mut self) -> Vec<&mut Matrix<T>> {
        self.all_layers_mut().flat_map(|layer| layer.kind.get_mut().parameters_mut()).collect()
    }

    /// Everything that training learns without gradients, in a fixed order.
    pub fn statistics(&self) -> Vec<&Matrix<T>> {
        self.all().flat_map(Module::statistics).collect()
    }

    /// The same, to change.
    pub fn statistics_mut(&mut self) -> Vec<&mut Matrix<T>> {
        self.all_layers_mut().flat_map(|layer| layer.kind.get_mut().statistics_mut()).collect()
    }

    /// The same network in another kind of number.
    pub fn cast<U: Real>(&self) -> Network<U> {
        let layer = |layer: &Layer<T>| Layer { name: layer.name.clone(), kind: layer.kind.cast() };
        Network {
            input_size: self.input_size,
            layers: self.layers.iter().map(layer).collect(),
            decoder: self.decoder.as_ref().map(|decoder| Box::new(decoder.cast())),
        }
    }

    /// What comes out of the layers, but not the decoder's, for packed frames: `[out x columns]`.
    pub fn forward(&self, input: &PackedSequence<T>) -> Matrix<T> {
        self.forward_from(input, &States::new())
    }

    /// [`Network::forward`] from states other than zeros.
    pub fn forward_from(&self, input: &PackedSequence<T>, initial: &States<T>) -> Matrix<T> {
        self.forward_caches(input, initial, None)
            .pop()
            .map_or_else(|| input.values.clone(), |t| t.output.values)
    }

    /// What each layer does with a packed batch, first to last.
    pub fn forward_caches(
        &self,
        input: &PackedSequence<T>,
        initial: &States<T>,
        draw: Option<RngSeed>,
    ) -> Vec<ForwardCache<T>> {
        let mut caches: Vec<ForwardCache<T>> = Vec::with_capacity(self.layers.len());
        for (k, layer) in self.layers.iter().enumerate() {
            let pass = Pass {
                initial: initial.get(k).map_or(&[], Vec::as_slice),
                training: draw.map(|RngSeed { seed, update, shard, layer }| {
                    let part = u64::from(shard) << 32 | (u64::from(layer) + k as u64);
                    stream_of(seed, Purpose::Dropout, update, part)
                }),
            };
            let cache = layer.kind.get().forward(caches.last().map_or(input, |cache| &cache.output), pass);
            caches.push(cache);
        }
        caches
    }

    /// The states that each layer ended with, as [`States`] has them.
    pub fn final_states(&self, input: &PackedSequence<T>, caches: &[ForwardCache<T>]) -> States<T> {
        let inputs = std::iter::once(input).chain(caches.iter().map(|cache| &cache.output));
        let layers = self.layers.iter().zip(inputs).zip(caches);
        layers.map(|((layer, input), cache)| layer.kind.get().final_states(input, cache)).collect()
    }

    /// What comes out for a whole batch, `[out x columns]`; of an encoder-decoder what its decoder gives when it is told
    /// at each step what should have come before.
    pub fn output(&self, batch: &Batch<T>) -> Matrix<T> {
        match self.pair(batch) {
            Some(pair) => pair.output(),
            None => self.forward(&batch.input),
        }
    }

    /// The gradients of the mean loss over `columns` columns, of which this shard is a part; and the shard's score.
    pub fn gradients(&self, batch: &Batch<T>, columns: usize, draw: RngSeed) -> ShardGradients<T> {
        if let Some(pair) = self.pair(batch) {
            return pair.gradients(&batch.targets, columns, draw);
        }
        let caches = self.forward_caches(&batch.input, &States::new(), Some(draw));
        let output = &caches.last().expect("a network has layers").output.values;
        let score = batch.targets.score(output);
        let arriving = batch.targets.gradient(output, columns);
        let found = self.back(&batch.input, &caches, arriving, &States::new(), self.first_trained());
        ShardGradients::new(found, caches, score)
    }

    /// Before the first layer with parameters there is nothing to learn.
    fn first_trained(&self) -> usize {
        self.layers.iter().position(|layer| !layer.kind.get().parameters().is_empty()).unwrap_or(0)
    }

    /// From the gradients of the output, `[out x columns]`, and of the final states to those of the parameters, the initial
    /// states and the frames.
    pub fn backward(
        &self,
        input: &PackedSequence<T>,
        caches: &[ForwardCache<T>],
        d_output: Matrix<T>,
        d_final: &States<T>,
    ) -> InputGradients<T> {
        let found = self.back(input, caches, LossGradient::Output(d_output), d_final, 0);
        let (first, cache) = (&self.layers[0].kind, &caches[0]);
        let input = first.get().input_gradient(input, cache, &found[0]);
        let (parameters, initial): (Vec<_>, _) = found.into_iter().map(|g| (g.parameters, g.initial)).unzip();
        InputGradients { parameters: parameters.concat(), initial, input }
    }

    /// What going back from the last layer to layer `first` finds in each of these, `first` first.
    fn back(
        &self,
        input: &PackedSequence<T>,
        caches: &[ForwardCache<T>],
        mut arriving: LossGradient<T>,
        d_final: &States<T>,
        first: usize,
    ) -> Vec<Gradients<T>> {
        let mut found = Vec::with_capacity(self.layers.len());
        for (k, layer) in self.layers.iter().enumerate().skip(first).rev() {
            let input = if k == 0 { input } else { &caches[k - 1].output };
            let d_final = d_final.get(k).map_or(&[][..], Vec::as_slice);
            let gradients = backward(&layer.kind, input, &caches[k], arriving, d_final);
            let passed = if k > first {
                layer.kind.get().input_gradient(input, &caches[k], &gradients)
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
    input: &PackedSequence<T>,
    cache: &ForwardCache<T>,
    arriving: LossGradient<T>,
    d_final: &[Matrix<T>],
) -> Gradients<T> {
    match arriving {
        LossGradient::Output(d) => kind.get().backward(input, cache, d, d_final),
        LossGradient::PreActivations(d) => {
            let found = kind.get().backward_pre_activations(input, d);
            found.expect("labels need a layer with softmax at the end: checked with the config")
        }
    }
}
