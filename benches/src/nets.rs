//! The nets and the ways to run them: one cell of random weights, in each kind of numbers, on each backend.

use std::fmt;
use std::hint::black_box;

use anyhow::Result;
use embedded_rnn::{Backend, F16, F32, I8, Model, Number};
use embedded_rnn_trainer::pack::{AlignedBytes, Meta, files, random_cell, write_float};

use crate::rounds::Work;

/// Frames that the steps go through, over and over; the state is carried on.
const FRAMES: usize = 32;
/// Nets are the same in every run.
const SEED: u64 = 20;

/// A cell.
#[derive(Debug, PartialEq, Eq)]
pub struct Cell {
    /// As in the ids of benchmarks.
    pub name: &'static str,
    /// Keras's name, and options as in a config.
    keras: (&'static str, &'static str),
    /// Rows of weights a unit.
    gates: usize,
}

static LSTM: Cell = Cell { name: "lstm", keras: ("LSTM", ""), gates: 4 };
static GRU: Cell = Cell { name: "gru", keras: ("GRU", ""), gates: 3 };
static GRU_BEFORE: Cell = Cell { name: "gru-before", keras: ("GRU", "reset_after = false"), gates: 3 };
static RNN: Cell = Cell { name: "rnn", keras: ("SimpleRNN", ""), gates: 1 };

/// A net: one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Net {
    /// Which.
    pub cell: &'static Cell,
    /// Values in a step's input.
    pub input_size: usize,
    /// Units.
    pub hidden_size: usize,
}

const fn net(cell: &'static Cell, input_size: usize, hidden_size: usize) -> Net {
    Net { cell, input_size, hidden_size }
}

/// The nets: from a few hundred bytes of weights to more than a second-level cache holds.
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
    /// Multiply-adds that a step cannot do without: one for each weight, the padding of the file not counted.
    pub fn multiply_adds(self) -> usize {
        self.cell.gates * self.hidden_size * (self.input_size + self.hidden_size)
    }

    /// Bytes that a step cannot but read: each weight, and a bias for each gate of a unit.
    pub fn bytes(self, numbers: Numbers) -> usize {
        let (weight, bias) = match numbers {
            Numbers::F32 => (4, 4),
            Numbers::F16 => (2, 2),
            Numbers::I8 => (1, 4),
        };
        weight * self.multiply_adds() + bias * self.cell.gates * self.hidden_size
    }
}

/// The kind of a model's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// f32.
    F32,
    /// Weights f16, arithmetic f32.
    F16,
    /// i8 weights, i16 activations.
    I8,
}

impl Numbers {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::F32, Self::F16, Self::I8];

    /// As in the ids of benchmarks.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::I8 => "i8",
        }
    }
}

/// The backends to compare: plain Rust, and the best one where that is another.
pub fn backends() -> Vec<Backend> {
    let best = Backend::best();
    let mut backends = vec![Backend::portable()];
    if best.name() == backends[0].name() {
        eprintln!("skipped: avx2, which this machine does not run");
    } else {
        backends.push(best);
    }
    backends
}

/// A net's model file in one kind of numbers, and frames to feed it. It is never freed: work may hold on to it.
pub struct Session {
    /// The net.
    pub net: Net,
    /// The kind of its numbers.
    pub numbers: Numbers,
    file: &'static [u8],
    frames: Vec<f32>,
}

impl Session {
    /// Makes the file of a random net, quantized if need be.
    pub fn new(net: Net, numbers: Numbers) -> Result<Self> {
        let sizes = (net.input_size, net.hidden_size);
        let (network, frames) = random_cell(net.cell.keras, sizes, FRAMES, SEED)?;
        let (f32, i8) = files(&network, &frames)?;
        let file = match numbers {
            Numbers::F32 => forever(&f32),
            Numbers::F16 => forever(&write_float::<F16>(&network, &Meta::default(), &frames)?),
            Numbers::I8 => forever(&i8),
        };
        Ok(Self { net, numbers, file, frames })
    }

    /// The weights as they lie in memory when a step reads them.
    pub fn weights(&self) -> Result<&'static [u8]> {
        Ok(match self.numbers {
            Numbers::F32 => bytemuck::cast_slice(Model::<F32>::new(self.file)?.weights()),
            Numbers::F16 => bytemuck::cast_slice(Model::<F16>::new(self.file)?.weights()),
            Numbers::I8 => bytemuck::cast_slice(Model::<I8>::new(self.file)?.weights()),
        })
    }

    /// Steps on `backend`: one call of the public API each, another frame each time, from the state of the step before.
    pub fn steps(&self, backend: Backend) -> Result<Work> {
        match self.numbers {
            Numbers::F32 => steps(Model::<F32>::new(self.file)?.with_backend(backend), self.frames.clone()),
            Numbers::F16 => steps(Model::<F16>::new(self.file)?.with_backend(backend), self.frames.clone()),
            Numbers::I8 => {
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

fn steps<N: Number>(model: Model<'static, N>, frames: Vec<N::In>) -> Result<Work> {
    let mut state = model.state(forever(&vec![0; model.preamble().ram_needed as usize]))?;
    let mut next = 0;
    Ok(Box::new(move |times| {
        for _ in 0..times {
            let end = next + model.input_size();
            let answer = model.step(&mut state, black_box(&frames[next..end]));
            let _ = black_box(answer);
            next = if end == frames.len() { 0 } else { end };
        }
    }))
}

/// An aligned copy that lives as long as the process, so that model and state can go into one closure.
fn forever(bytes: &[u8]) -> &'static mut [u8] {
    let bytes: &'static mut AlignedBytes = Box::leak(Box::new(AlignedBytes::new(bytes)));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_net_has_its_name_and_its_work() {
        let net = net(&LSTM, 40, 128);
        assert_eq!(net.to_string(), "lstm-40x128");
        assert_eq!(net.multiply_adds(), 86_016);
        assert_eq!(net.bytes(Numbers::F32), 4 * 86_016 + 4 * 512);
        assert_eq!(net.bytes(Numbers::I8), 86_016 + 4 * 512);
    }

    #[test]
    fn every_kind_of_numbers_steps_and_holds_its_weights() {
        let net = NETS[0];
        for numbers in Numbers::ALL {
            let session = Session::new(net, numbers).unwrap();
            assert!(session.weights().unwrap().len() >= net.bytes(numbers));
            for backend in backends() {
                session.steps(backend).unwrap()(FRAMES as u64 + 1);
            }
        }
    }
}
