//! What each layer gives to the packer: the table of layers on this side of the file.

use anyhow::{Result, bail};
use embedded_rnn::Kind as Code;
use embedded_rnn::format::{Activation as ActivationCode, LayerRecord, RETURN_SEQUENCES};

use crate::activation::Activation;
use crate::cells::{AnyCell, Gru, Lstm};
use crate::layers::{Kind, Layer};
use crate::net::Network;
use crate::tensor::Matrix;

/// A layer of weighted sums: `gates` rows for each unit, over the input and, if recurrent, its own output.
pub struct Parts<'a> {
    pub kind: Code,
    /// What each gate does to its sums, first to last; one entry for layers without gates.
    pub gates: &'a [ActivationCode],
    pub activation: ActivationCode,
    /// Of the gates; `None` in layers without.
    pub recurrent_activation: Option<ActivationCode>,
    pub return_sequences: bool,
    /// `[gates * units x input]`, rows gate by gate.
    pub w_ih: &'a Matrix<f32>,
    /// `[gates * units x units]`; `None` if the layer is not recurrent.
    pub w_hh: Option<&'a Matrix<f32>>,
    /// `[gates * units x 1]`.
    pub bias: &'a Matrix<f32>,
    /// The same of the recurrent side, where the last gate's stays apart.
    pub recurrent_bias: Option<&'a Matrix<f32>>,
}

use ActivationCode::{Linear, Relu, Sigmoid, Softmax, Tanh};

/// Refuses layers that have no place in a model file yet.
pub fn check_packable(network: &Network<f32>) -> Result<()> {
    if network.decoder.is_some() {
        bail!("an encoder with a decoder cannot be packed yet");
    }
    for Layer { name, kind } in &network.layers {
        let packs = match kind {
            Kind::Normalization(_) => true,
            Kind::Dense(dense) => !is_hard(dense.activation),
            Kind::Recurrent(layer) if layer.go_backwards => false,
            Kind::Recurrent(layer) => match &layer.cell {
                AnyCell::SimpleRnn(cell) => !is_hard(cell.activation),
                AnyCell::Lstm(Lstm { activation, recurrent_activation, .. }) => {
                    (*activation, *recurrent_activation) == (Activation::Tanh, Activation::Sigmoid)
                }
                AnyCell::Gru(Gru { activation, recurrent_activation, .. }) => {
                    (*activation, *recurrent_activation) == (Activation::Tanh, Activation::Sigmoid)
                }
            },
            _ => false,
        };
        if !packs {
            bail!("{name} cannot be packed yet");
        }
    }
    Ok(())
}

fn is_hard(activation: Activation) -> bool {
    matches!(activation, Activation::HardSigmoid | Activation::HardSigmoidKeras1)
}

/// The parts of a layer; `None` for Normalization, which has no sums.
pub fn parts(layer: &Layer<f32>) -> Option<Parts<'_>> {
    match &layer.kind {
        Kind::Normalization(_) => None,
        Kind::Dense(dense) => {
            Some(single(Code::Dense, dense.activation, &dense.weight, None, &dense.bias, false))
        }
        Kind::Recurrent(recurrent) => Some(match &recurrent.cell {
            AnyCell::SimpleRnn(cell) => single(
                Code::SimpleRnn,
                cell.activation,
                &cell.w_ih,
                Some(&cell.w_hh),
                &cell.bias,
                recurrent.return_sequences,
            ),
            AnyCell::Lstm(cell) => Parts {
                kind: Code::Lstm,
                gates: &[Sigmoid, Sigmoid, Tanh, Sigmoid],
                activation: Tanh,
                recurrent_activation: Some(Sigmoid),
                return_sequences: recurrent.return_sequences,
                w_ih: &cell.w_ih,
                w_hh: Some(&cell.w_hh),
                bias: &cell.bias,
                recurrent_bias: None,
            },
            AnyCell::Gru(cell) => Parts {
                kind: if cell.reset_after { Code::Gru } else { Code::GruResetBefore },
                gates: &[Sigmoid, Sigmoid, Tanh],
                activation: Tanh,
                recurrent_activation: Some(Sigmoid),
                return_sequences: recurrent.return_sequences,
                w_ih: &cell.w_ih,
                w_hh: Some(&cell.w_hh),
                bias: &cell.bias,
                recurrent_bias: cell.reset_after.then_some(&cell.recurrent_bias),
            },
        }),
        _ => unreachable!("refused by check_packable"),
    }
}

/// A layer without gates.
fn single<'a>(
    kind: Code,
    activation: Activation,
    w_ih: &'a Matrix<f32>,
    w_hh: Option<&'a Matrix<f32>>,
    bias: &'a Matrix<f32>,
    return_sequences: bool,
) -> Parts<'a> {
    let gates: &[ActivationCode] = match activation {
        Activation::Linear => &[Linear],
        Activation::Relu => &[Relu],
        Activation::Tanh => &[Tanh],
        Activation::Sigmoid => &[Sigmoid],
        Activation::Softmax => &[Softmax],
        Activation::HardSigmoid | Activation::HardSigmoidKeras1 => {
            unreachable!("refused by check_packable")
        }
    };
    let recurrent_activation = None;
    Parts {
        kind,
        gates,
        activation: gates[0],
        recurrent_activation,
        return_sequences,
        w_ih,
        w_hh,
        bias,
        recurrent_bias: None,
    }
}

impl Parts<'_> {
    pub fn units(&self) -> usize {
        self.bias.nrows() / self.gates.len()
    }

    /// The bias of a row: both of them, but where the recurrent one stays apart.
    pub fn bias(&self, row: usize) -> f32 {
        let recurrent = self.recurrent_bias.filter(|_| row < (self.gates.len() - 1) * self.units());
        self.bias[row] + recurrent.map_or(0.0, |bias| bias[row])
    }

    /// The recurrent bias that stays apart: that of a unit's last gate.
    pub fn bias_apart(&self, unit: usize) -> f32 {
        self.recurrent_bias.map_or(0.0, |bias| bias[(self.gates.len() - 1) * self.units() + unit])
    }

    /// What the weights and bias of a row are multiplied with: sigmoid is computed as tanh of the half.
    pub fn fold(&self, row: usize) -> f32 {
        if self.gates[row / self.units()] == Sigmoid { 0.5 } else { 1.0 }
    }

    /// The record of the layer, its scales still those of floats.
    pub fn record(&self) -> LayerRecord {
        LayerRecord {
            kind: self.kind as u8,
            activation: self.activation as u8,
            recurrent_activation: self.recurrent_activation.map_or(0, |a| a as u8),
            flags: if self.return_sequences { RETURN_SEQUENCES } else { 0 },
            input_size: self.w_ih.ncols() as u32,
            units: self.units() as u32,
            output_scale: 1.0,
            ..bytemuck::Zeroable::zeroed()
        }
    }
}

/// The activation of the trainer with this code.
pub fn activation(code: u8) -> Option<Activation> {
    Some(match ActivationCode::from_code(code)? {
        Linear => Activation::Linear,
        Relu => Activation::Relu,
        Tanh => Activation::Tanh,
        Sigmoid => Activation::Sigmoid,
        Softmax => Activation::Softmax,
        _ => return None,
    })
}
