//! Functions that the integer layers of sums do without: each becomes a layer of its own, by a table (runtime/INTEGER.md).

use anyhow::{Context, Result, ensure};

use super::{ACT_MAX, Place, unit_for};
use crate::activation::Activation as Function;
use crate::layers::{Activation, Dense, Kind, Layer};
use crate::net::Network;
use crate::pack::file::Packed;
use crate::pack::float::activation_record;
use crate::pack::lower::lowered;
use crate::pack::parts::Parts;
use crate::tensor::Matrix;

/// Bits of an interval's width, of 16-bit inputs.
const INTERVAL_BITS: u32 = 7;

/// The same network, every function of its Dense layers one that integer sums have.
///
/// # Errors
/// A cell, by name, whose activations are others than those.
pub fn apart(network: &Network<f32>) -> Result<Network<f32>> {
    let mut layers = Vec::new();
    for layer in &network.layers {
        layers.extend(parts(layer).with_context(|| layer.name.clone())?);
    }
    let decoder = network.decoder.as_ref().map(|decoder| apart(decoder)).transpose()?;
    Ok(Network { input_size: network.input_size, layers, decoder: decoder.map(Box::new) })
}

/// Refuses a network that integers cannot run for what it does to its sums.
///
/// # Errors
/// The layer's name, and its activation.
pub fn check_quantizable(network: &Network<f32>) -> Result<()> {
    apart(&lowered(network)).map(|_| ())
}

/// What a layer becomes.
fn parts(layer: &Layer<f32>) -> Result<Vec<Layer<f32>>> {
    let function = match &layer.kind {
        Kind::Dense(dense) => dense.activation,
        Kind::Activation(layer) => layer.function,
        _ => Function::Linear,
    };
    ensure!(
        function.is_elementwise() || function == Function::Softmax,
        "activation {}: integers do not have it, half floats do",
        function.keras_name()
    );
    match &layer.kind {
        Kind::Dense(dense) if dense.activation.is_extended() => {
            let sums = Dense { activation: Function::Linear, ..dense.clone() };
            let function = Activation::new(dense.weight.nrows(), dense.activation);
            Ok(vec![
                Layer { name: layer.name.clone(), kind: Kind::Dense(sums) },
                Layer {
                    name: format!("{}/{}", layer.name, dense.activation.keras_name()),
                    kind: Kind::Activation(function),
                },
            ])
        }
        // Over all units there is one, and it is a Dense layer's.
        Kind::Activation(Activation { size, function: Function::Softmax, .. }) => {
            let same = Dense::from_weights(
                Matrix::identity(*size, *size),
                Matrix::zeros(*size, 1),
                Function::Softmax,
            );
            Ok(vec![Layer { name: layer.name.clone(), kind: Kind::Dense(same) }])
        }
        Kind::Recurrent(cell) => check(&Parts::recurrent(cell)).map(|()| vec![layer.clone()]),
        Kind::Bidirectional(both) => {
            for cell in [&both.forward, &both.backward] {
                check(&Parts::recurrent(cell))?;
            }
            Ok(vec![layer.clone()])
        }
        _ => Ok(vec![layer.clone()]),
    }
}

/// Refuses the activations of a cell that integers do not have there.
fn check(parts: &Parts) -> Result<()> {
    use Function::{HardSigmoid, HardSigmoidKeras1, Linear, Relu, Sigmoid, Tanh};
    let (value, gates) = (parts.activations.value, parts.activations.recurrent);
    let gated = parts.form.has_gates();
    let values: &[Function] = if gated {
        &[Linear, Relu, Tanh, Sigmoid]
    } else {
        &[Linear, Relu, Tanh, Sigmoid, HardSigmoid, HardSigmoidKeras1]
    };
    ensure!(
        values.contains(&value),
        "activation {}: 8-bit cells do not have it, half floats do",
        value.keras_name()
    );
    ensure!(
        !gated || [Sigmoid, HardSigmoid, HardSigmoidKeras1].contains(&gates),
        "recurrent_activation {}: 8-bit cells do not have it, half floats do",
        gates.keras_name()
    );
    Ok(())
}

/// The table of a function between the units of `place` and of what comes out.
pub fn packed(layer: &Activation<f32>, place: Place<'_>, name: &str) -> Result<(Vec<Packed<i32>>, f64)> {
    let function = layer.function;
    let unit = unit_for(place.ranges.output);
    let end = |interval: i32| {
        let x = f64::from((interval << INTERVAL_BITS) - (1 << 15)) * place.unit;
        ((function.of(x) / unit).round().clamp(-ACT_MAX, ACT_MAX)) as i16
    };
    let mut ends: Vec<i16> = (0..=1 << (16 - INTERVAL_BITS)).map(end).collect();
    ends.push(0);
    let weights =
        ends.as_chunks::<2>().0.iter().map(|&[low, high]| i32::from(high) << 16 | i32::from(low as u16));
    let mut record = activation_record(layer);
    record.output_scale = unit as f32;
    Ok((vec![Packed { record, weights: weights.collect(), name: name.to_owned() }], unit))
}
