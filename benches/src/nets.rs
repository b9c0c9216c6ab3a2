//! The networks and their steps: one cell with random weights, in each dtype, on each backend.

use std::fmt;
use std::hint::black_box;

use anyhow::Result;
use embedded_rnn::{Backend, F16, F32, I8, Model, Number};
use embedded_rnn_trainer::pack::{AlignedBytes, Meta, files, random_cell, write_float};

use crate::rounds::Task;

/// Frames that the steps process in a loop, with the state carried on.
const FRAMES: usize = 32;
/// Seed of the weights and frames, which are the same in every run.
const SEED: u64 = 20;

/// A recurrent cell.
#[derive(Debug, PartialEq, Eq)]
pub struct Cell {
    /// Name in the ids of benchmarks.
    pub name: &'static str,
    /// Name in Keras, and options as in a config.
    keras: (&'static str, &'static str),
    /// Rows of weights per unit.
    gates: usize,
}

static LSTM: Cell = Cell { name: "lstm", keras: ("LSTM", ""), gates: 4 };
static GRU: Cell = Cell { name: "gru", keras: ("GRU", ""), gates: 3 };
static GRU_BEFORE: Cell = Cell { name: "gru-before", keras: ("GRU", "reset_after = false"), gates: 3 };
static RNN: Cell = Cell { name: "rnn", keras: ("SimpleRNN", ""), gates: 1 };

/// A network of one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Net {
    /// Cell.
    pub cell: &'static Cell,
    /// Values per time step.
    pub input_size: usize,
    /// Units.
    pub hidden_size: usize,
}

const fn net(cell: &'static Cell, input_size: usize, hidden_size: usize) -> Net {
    Net { cell, input_size, hidden_size }
}

/// The networks, from a few hundred bytes of weights to more than the size of a second-level cache.
pub static NETS: [Net; 13] = [
    net(&LSTM, 1, 8),
    net(&LSTM, 1, 16),
    net(&LSTM, 1, 32),
    net(&LSTM, 1, 50),
    net(&LSTM, 10, 64),
    net(&LSTM, 40, 128),
    net(&LSTM, 64, 256),
    net(&GRU, 1, 24),
    net(&GRU, 10, 64),
    net(&GRU, 40, 128),
    net(&GRU_BEFORE, 10, 64),
    net(&RNN, 1, 50),
    net(&RNN, 10, 64),
];

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}x{}", self.cell.name, self.input_size, self.hidden_size)
    }
}

impl Net {
    /// Returns the multiply-adds that a step requires: one per weight, without the padding of the file.
    pub fn multiply_adds(self) -> usize {
        self.cell.gates * self.hidden_size * (self.input_size + self.hidden_size)
    }

    /// Returns the bytes that a step must read: all weights, and one bias per gate of each unit.
    pub fn bytes(self, dtype: DType) -> usize {
        let (weight, bias) = match dtype {
            DType::F32 => (4, 4),
            DType::F16 => (2, 2),
            DType::I8 => (1, 4),
        };
        weight * self.multiply_adds() + bias * self.cell.gates * self.hidden_size
    }
}

/// Dtype of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DType {
    /// f32 weights and arithmetic.
    F32,
    /// f16 weights, f32 arithmetic.
    F16,
    /// i8 weights, i16 activations.
    I8,
}

impl DType {
    /// All dtypes.
    pub const ALL: [Self; 3] = [Self::F32, Self::F16, Self::I8];

    /// Returns the name in the ids of benchmarks.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::I8 => "i8",
        }
    }
}

/// Returns the backends to compare: all but that which is there to test others.
pub fn backends() -> Vec<Backend> {
    Backend::missing().for_each(|name| eprintln!("skipped: {name}, which this machine does not support"));
    Backend::all().filter(|backend| backend.name() != "portable-fused").collect()
}

/// A network's model file in one dtype, and its frames. The file is never freed: steps borrow it.
pub struct ModelFile {
    /// Network.
    pub net: Net,
    /// Dtype of the model file.
    pub dtype: DType,
    file: &'static [u8],
    frames: Vec<f32>,
}

impl ModelFile {
    /// Makes the file of a network with random weights, quantized for i8.
    pub fn new(net: Net, dtype: DType) -> Result<Self> {
        let sizes = (net.input_size, net.hidden_size);
        let (network, frames) = random_cell(net.cell.keras, sizes, FRAMES, SEED)?;
        let (f32, i8) = files(&network, &frames)?;
        let file = match dtype {
            DType::F32 => forever(&f32),
            DType::F16 => forever(&write_float::<F16>(&network, &Meta::default(), &frames)?),
            DType::I8 => forever(&i8),
        };
        Ok(Self { net, dtype, file, frames })
    }

    /// Returns the weights in the memory from which a step reads them.
    pub fn weights(&self) -> Result<&'static [u8]> {
        Ok(match self.dtype {
            DType::F32 => bytemuck::cast_slice(Model::<F32>::new(self.file)?.weights()),
            DType::F16 => bytemuck::cast_slice(Model::<F16>::new(self.file)?.weights()),
            DType::I8 => bytemuck::cast_slice(Model::<I8>::new(self.file)?.weights()),
        })
    }

    /// Returns steps on `backend`: one call of the public API per step, with the next frame and the state of
    /// the step before.
    pub fn steps(&self, backend: Backend) -> Result<Task> {
        match self.dtype {
            DType::F32 => steps(Model::<F32>::new(self.file)?.with_backend(backend), self.frames.clone()),
            DType::F16 => steps(Model::<F16>::new(self.file)?.with_backend(backend), self.frames.clone()),
            DType::I8 => {
                let model = Model::<I8>::new(self.file)?.with_backend(backend);
                let mut frames = vec![0; self.frames.len()];
                let size = model.input_size();
                for (x, frame) in frames.chunks_exact_mut(size).zip(self.frames.chunks_exact(size)) {
                    model.quantize_input(frame, x)?;
                }
                steps(model, frames)
            }
        }
    }
}

fn steps<N: Number>(model: Model<'static, N>, frames: Vec<N::In>) -> Result<Task> {
    let mut state = model.state(forever(&vec![0; model.preamble().ram_needed as usize]))?;
    let mut next = 0;
    Ok(Box::new(move |times| {
        for _ in 0..times {
            let end = next + model.input_size();
            let output = model.step(&mut state, black_box(&frames[next..end]));
            let _ = black_box(output);
            next = if end == frames.len() { 0 } else { end };
        }
    }))
}

/// Returns an aligned copy that lives as long as the process, so that one closure can own model and state.
fn forever(bytes: &[u8]) -> &'static mut [u8] {
    let bytes: &'static mut AlignedBytes = Box::leak(Box::new(AlignedBytes::new(bytes)));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_its_name_and_its_work() {
        let net = net(&LSTM, 40, 128);
        assert_eq!(net.to_string(), "lstm-40x128");
        assert_eq!(net.multiply_adds(), 86_016);
        assert_eq!(net.bytes(DType::F32), 4 * 86_016 + 4 * 512);
        assert_eq!(net.bytes(DType::I8), 86_016 + 4 * 512);
    }

    #[test]
    fn every_dtype_steps_and_contains_its_weights() {
        let net = NETS[0];
        for dtype in DType::ALL {
            let model_file = ModelFile::new(net, dtype).unwrap();
            assert!(model_file.weights().unwrap().len() >= net.bytes(dtype));
            for backend in backends() {
                model_file.steps(backend).unwrap()(FRAMES as u64 + 1);
            }
        }
    }
}
