//! From what is trained to what runs: layers that only training needs are left out, and normalizations whose statistics are
//! fixed go into the weights beside them, where that is exact; an activation becomes that of the linear Dense before it.

use crate::activation::Activation;
use crate::cells::AnyCell;
use crate::layers::{BatchNormalization, Kind, Layer};
use crate::net::Network;
use crate::tensor::{Matrix, product};

/// The same function of its inputs, of layers that a model file has.
pub fn lowered(network: &Network<f32>) -> Network<f32> {
    Network {
        input_size: network.input_size,
        layers: lowered_chain(&network.layers),
        decoder: network.decoder.as_ref().map(|decoder| Box::new(lowered(decoder))),
    }
}

fn lowered_chain(layers: &[Layer<f32>]) -> Vec<Layer<f32>> {
    let kept = layers.iter().filter(|layer| !matches!(layer.kind, Kind::Dropout(_)));
    let mut layers: Vec<Layer<f32>> = Vec::new();
    for layer in kept.cloned() {
        match layers.last().map(|before| &before.kind) {
            Some(Kind::BatchNormalization(before)) if has_weights(&layer.kind) => {
                let (scale, offset) = before.scale_and_offset();
                let mut layer = layer;
                input_matrices(&mut layer.kind).into_iter().for_each(|(w, bias)| {
                    *bias += product(w, &offset);
                    w.column_iter_mut().zip(scale.iter()).for_each(|(mut column, &scale)| column *= scale);
                });
                layers.pop();
                layers.push(layer);
            }
            Some(Kind::Dense(dense)) if dense.activation == Activation::Linear => match &layer.kind {
                Kind::BatchNormalization(after) => fold_into_dense(&mut layers, after),
                Kind::Activation(after) => {
                    if let Some(Layer { kind: Kind::Dense(dense), .. }) = layers.last_mut() {
                        dense.activation = after.function;
                    }
                }
                _ => layers.push(layer),
            },
            _ => layers.push(layer),
        }
    }
    layers
}

fn has_weights(kind: &Kind<f32>) -> bool {
    matches!(kind, Kind::Dense(_) | Kind::Recurrent(_) | Kind::Bidirectional(_))
}

/// The weights over the input, and the bias beside them, of each layer inside.
fn input_matrices(kind: &mut Kind<f32>) -> Vec<(&mut Matrix<f32>, &mut Matrix<f32>)> {
    match kind {
        Kind::Dense(dense) => {
            dense.use_bias = true;
            vec![(&mut dense.weight, &mut dense.bias)]
        }
        Kind::Recurrent(layer) => vec![of_cell(&mut layer.cell)],
        Kind::Bidirectional(layer) => {
            vec![of_cell(&mut layer.forward.cell), of_cell(&mut layer.backward.cell)]
        }
        _ => Vec::new(),
    }
}

macro_rules! of_cell {
    ($($keras:literal $module:ident $cell:ident,)*) => {
        fn of_cell(cell: &mut AnyCell<f32>) -> (&mut Matrix<f32>, &mut Matrix<f32>) {
            match cell {
                $(AnyCell::$cell(cell) => {
                    cell.use_bias = true;
                    (&mut cell.w_ih, &mut cell.bias)
                })*
            }
        }
    };
}
crate::cells::with_cells!(of_cell);

/// `scale * (W x + b) + offset`.
fn fold_into_dense(layers: &mut [Layer<f32>], after: &BatchNormalization<f32>) {
    let Some(Layer { kind: Kind::Dense(dense), .. }) = layers.last_mut() else { return };
    let (scale, offset) = after.scale_and_offset();
    for (row, (&scale, &offset)) in scale.iter().zip(offset.iter()).enumerate() {
        dense.weight.row_mut(row).apply(|w| *w *= scale);
        dense.bias[row] = dense.bias[row] * scale + offset;
    }
    dense.use_bias = true;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::Random;

    /// Every place where a BatchNormalization can go into weights, and one where it cannot.
    #[test]
    fn a_lowered_network_is_the_same_function() {
        const NORMALIZED: &str = "{ type = 'BatchNormalization' }";
        for (before, after, left) in [
            ("", "{ type = 'LSTM', units = 3 }", 1),
            (
                "{ type = 'GRU', units = 3, return_sequences = true },",
                "{ type = 'GRU', units = 2, reset_after = false }",
                2,
            ),
            (
                "{ type = 'SimpleRNN', units = 4 }, { type = 'Dropout', rate = 0.5 },",
                "{ type = 'Dense', units = 2, use_bias = false }",
                2,
            ),
            ("{ type = 'LSTM', units = 3 }, { type = 'Dense', units = 4 },", "", 2),
            ("{ type = 'LSTM', units = 3 },", "", 2),
            ("{ type = 'Dense', units = 3 },", "{ type = 'Activation', activation = 'gelu' }", 1),
            (
                "{ type = 'LSTM', units = 3, return_sequences = true },",
                "{ type = 'Bidirectional', layer = { type = 'GRU', units = 2 } }",
                2,
            ),
        ] {
            let layers = format!("{before} {NORMALIZED}, {after}");
            let random = Random { layers: &layers, input_size: 2, steps: 9, seed: 3 };
            let (network, frames) = random.make().unwrap();
            let lowered = lowered(&network);
            assert_eq!(lowered.layers.len(), left, "{layers}");
            for (a, b) in network.predict(&frames).iter().zip(lowered.predict(&frames)) {
                assert!((a - b).abs() < 1e-6, "{layers}: {a}, lowered {b}");
            }
        }
    }
}
