//! Networks with random weights and random test vectors, the same in every run.

use anyhow::Result;
use embedded_rnn::F16;
use embedded_rnn_trainer::pack::{Meta, Random, files, write_float};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use xtask::args::DType;

use crate::vectors::TestVectors;

const SEED: u64 = 20;

/// Enough steps for the state to leave its start and for a mean of the instruction counts.
const SEQUENCES: usize = 2;
const STEPS: usize = 50;
/// Enough sequences of an i8 model for a thousand steps, over whose inputs its instructions are compared.
const INT_SEQUENCES: usize = 20;

/// Returns a model file of the layers, given as in a config, and its test vectors.
///
/// The inputs of an i8 model span the whole range of i16, beyond the calibrated one: saturation must be the
/// same on every core too.
pub fn prepare(layers: &str, input_size: usize, dtype: DType) -> Result<(Vec<u8>, TestVectors)> {
    let steps = SEQUENCES * STEPS;
    let (network, frames) = Random { layers, input_size, steps, seed: SEED }.make()?;
    let (f32, i8) = files(&network, &frames)?;
    let values = STEPS * input_size;
    let real = || frames.chunks_exact(values).map(<[f32]>::to_vec).collect();
    Ok(match dtype {
        DType::F32 => (f32, TestVectors::F32(real())),
        DType::F16 => (write_float::<F16>(&network, &Meta::default(), &frames)?, TestVectors::F16(real())),
        DType::I8 => {
            let mut rng = ChaCha8Rng::seed_from_u64(SEED);
            let mut sequence = || (0..values).map(|_| rng.random()).collect();
            (i8, TestVectors::I8((0..INT_SEQUENCES).map(|_| sequence()).collect()))
        }
    })
}
