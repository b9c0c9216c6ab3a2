//! Folding: from a trained network to an equal network with fewer layers.
//!
//! - Layers of training alone (Dropout) are removed.
//! - An Activation after a linear Dense becomes the activation of that Dense.
//! - A normalization in inference is `y = scale * x + offset` per feature. Consecutive ones are one. After a
//!   linear Dense it is folded into its weights, row by row, which costs nothing in any dtype. Before a layer
//!   it is folded into the weights, `W (scale * x + offset) + b = (W diag(scale)) x + (W offset + b)`, only
//!   where that spreads no row: 8 bits per weight are for the largest weight of a row, and a large offset
//!   takes digits from all dtypes. Otherwise it remains a layer, and `quantize` compares both.
//! - A normalization of the inputs is never folded: their units can be of any ratio, and real inputs of an
//!   integer model are scaled in any case.
//!
//! Nothing is folded across the output that a residual connection reads.
//!
//! Folding twice is folding once, so that the network that is read back from a file of floats is final.

mod input;

use embedded_rnn_nn::layers::{Affine, FoldRole, Kind, Layer};
use embedded_rnn_nn::net::Network;

/// The largest [`Affine::amplification`] of a normalization that is folded into the layer after it. The i8
/// error of a GRU or Dense after an LSTM then was at most 1.5 times that with the layer of its own; at
/// amplifications of 20 to 1,200 it was a sixth to a third of the amplification times that.
const MAX_AMPLIFICATION: f64 = 4.0;

/// Returns a network that computes the same function with the layers of a model file.
pub fn folded(network: &Network<f32>) -> Network<f32> {
    let mut chain = Chain::default();
    let read = residual_inputs(&network.layers);
    let mut starts = Vec::new();
    for (index, mut layer) in network.layers.iter().cloned().enumerate() {
        if read.contains(&index) {
            chain.seal();
        }
        starts.push(chain.layers.len());
        if let Kind::Add(add) = &mut layer.kind {
            chain.seal();
            add.span = chain.layers.len() - starts[index - add.span];
        }
        chain.push(layer);
    }
    chain.settle(None);
    Network {
        input_size: network.input_size,
        layers: chain.layers,
        decoder: network.decoder.as_ref().map(|decoder| Box::new(folded(decoder))),
    }
}

/// Returns the layers whose inputs residual connections read, by index.
fn residual_inputs(layers: &[Layer<f32>]) -> Vec<usize> {
    let spans = layers.iter().enumerate().filter_map(|(index, layer)| Some((index, layer.kind.span()?)));
    spans.map(|(index, span)| index - span).collect()
}

/// Returns the network with one more normalization folded into the layer after it, whatever that spreads:
/// the layer `index` of [`Network::all_layers`]. `None` if it is no normalization, or is one of the inputs,
/// or the layer after it has no weights.
pub fn folded_at(network: &Network<f32>, index: usize) -> Option<Network<f32>> {
    let mut folded = network.clone();
    if index >= network.layers.len() {
        let decoder = folded_at(network.decoder.as_ref()?, index - network.layers.len())?;
        folded.decoder = Some(Box::new(decoder));
        return Some(folded);
    }
    let FoldRole::Affine(affine) = network.layers[index].kind.fold_role() else { return None };
    let is_folded = !is_input(&network.layers[..index])
        && folded.layers.get_mut(index + 1).is_some_and(|next| next.kind.absorb_before(&affine));
    folded.layers.remove(index);
    let is_read = residual_inputs(&network.layers).contains(&(index + 1));
    for (k, layer) in folded.layers.iter_mut().enumerate().skip(index) {
        if let Kind::Add(add) = &mut layer.kind
            && k + 1 - add.span <= index
        {
            add.span -= 1;
        }
    }
    (is_folded && !is_read).then_some(folded)
}

/// Returns `true` if the layer after these layers has the inputs of the model as inputs.
fn is_input(before: &[Layer<f32>]) -> bool {
    before.iter().all(|before| matches!(before.kind, Kind::Masking(_)))
}

/// Folded layers, and the normalization after them, whose place depends on the layer that follows.
#[derive(Default)]
struct Chain {
    layers: Vec<Layer<f32>>,
    pending: Option<(Layer<f32>, Affine)>,
    /// The number of layers into which nothing more is folded, as another layer reads the output of the last.
    sealed: usize,
}

impl Chain {
    fn push(&mut self, mut layer: Layer<f32>) {
        match layer.kind.fold_role() {
            FoldRole::TrainingOnly => {}
            FoldRole::Affine(affine) => self.push_affine(layer, affine),
            role => {
                self.settle(Some(&mut layer.kind));
                if !self.absorb_after(&role) {
                    self.layers.push(layer);
                }
            }
        }
    }

    fn push_affine(&mut self, layer: Layer<f32>, affine: Affine) {
        if let Some((first, before)) = &mut self.pending {
            *before = before.then(&affine);
            first.kind = Kind::BatchNormalization(before.layer());
        } else if !self.absorb_after(&FoldRole::Affine(affine.clone())) {
            self.pending = Some((layer, affine));
        }
    }

    /// Keeps the output of the layers so far as it is: a residual connection reads it.
    fn seal(&mut self) {
        self.settle(None);
        self.sealed = self.layers.len();
    }

    fn absorb_after(&mut self, role: &FoldRole) -> bool {
        self.layers.len() > self.sealed
            && self.layers.last_mut().is_some_and(|before| before.kind.absorb_after(role))
    }

    /// Finds a place for the normalization before the layer `next`, which is `None` at the end.
    fn settle(&mut self, next: Option<&mut Kind<f32>>) {
        let Some((mut layer, mut affine)) = self.pending.take() else { return };
        if is_input(&self.layers) {
            let Some((centered, rest)) = input::centered(&affine) else { return self.layers.push(layer) };
            let rest_of = Layer { name: format!("{}/scale", layer.name), kind: layer.kind };
            self.layers.push(Layer { name: layer.name, kind: Kind::Normalization(centered) });
            (layer, affine) = (rest_of, rest);
        }
        let folds = affine.amplification() <= MAX_AMPLIFICATION;
        if !(folds && next.is_some_and(|next| next.absorb_before(&affine))) {
            self.layers.push(Layer { kind: Kind::BatchNormalization(affine.layer()), ..layer });
        }
    }
}

#[cfg(test)]
mod tests;
