//! The command `xtask-boards vectors`: conformance vectors as files, which every binding replays.
//!
//! Per net and dtype, `target/conformance/` holds the model, its inputs, and the outputs that the PC computes
//! from them. The numbers are little-endian and without gaps: i16 inputs and i32 outputs of i8 models, f32
//! otherwise. `index.json` is an array of [`Entry`].

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use xtask::args::DType;
use xtask::boards::{Float, Selection};
use xtask::cmd::root;

use crate::nets::{Case, NETS, Net};

/// Folder of the files below the repository's root.
const FOLDER: &str = "target/conformance";
/// Time steps per model after which no further sequence is written: small files, which the bindings keep in
/// memory.
const STEPS: usize = 100;

/// A model and the files with its inputs and outputs, as a program that replays them needs it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Name of the net in the table of nets.
    name: String,
    /// Dtype of the model: `i8`, `f16` or `f32`.
    dtype: String,
    /// File of the model.
    model: String,
    /// File of the inputs.
    inputs: String,
    /// File of the outputs; those of float models are computed with fused multiply-adds.
    outputs: String,
    /// File of the outputs of float models where products and sums are rounded one by one; `outputs` again
    /// for i8 models, which have the same outputs everywhere.
    outputs_separate: String,
    /// Type of an input value: `i16` or `f32`.
    input_type: String,
    /// Type of an output value: `i32` or `f32`.
    output_type: String,
    /// Values per time step.
    input_size: usize,
    /// Values per output.
    output_size: usize,
    /// Number of time steps of all sequences.
    steps: usize,
    /// Number of time steps of each sequence; the state is reset before each.
    sequences: Vec<usize>,
    /// `true` if the outputs are those of one call of `run` per sequence, `false` if of one call of `step`
    /// per time step.
    whole_sequences: bool,
    /// Number of output values per sequence.
    output_lens: Vec<usize>,
    /// Bytes of RAM for a state, with room for the longest sequence.
    ram: usize,
}

/// Writes the files of one net of each cell and layer.
pub fn run() -> Result<()> {
    let nets: Vec<&Net> = NETS.iter().filter(|net| net.is_selected_by(Selection::OnePerLayer)).collect();
    let folder = root().join(FOLDER);
    let entries = write(&folder, &nets)?;
    println!("{} models with inputs and outputs: {}", entries.len(), folder.display());
    Ok(())
}

fn write(folder: &Path, nets: &[&'static Net]) -> Result<Vec<Entry>> {
    fs::create_dir_all(folder)?;
    let mut entries = Vec::new();
    for net in nets {
        for dtype in DType::ALL {
            entries.push(write_case(folder, &Case::prepare(net, dtype)?)?);
        }
    }
    save(folder, "index.json", &serde_json::to_vec_pretty(&entries)?)?;
    Ok(entries)
}

fn write_case(folder: &Path, case: &Case) -> Result<Entry> {
    let file = |suffix: &str| format!("{}.{suffix}", case.label());
    let (model, inputs, outputs) = (file("ernn"), file("inputs"), file("outputs"));
    let fused = case.conformance(STEPS, Float::Fused)?;
    let mut sequences = case.sequences();
    sequences.truncate(fused.sequences);
    save(folder, &model, &case.model)?;
    save(folder, &inputs, &sequences.concat())?;
    save(folder, &outputs, &fused.outputs)?;
    let (input_type, output_type, outputs_separate) = match case.dtype {
        DType::I8 => ("i16", "i32", outputs.clone()),
        DType::F16 | DType::F32 => ("f32", "f32", file("separate.outputs")),
    };
    if outputs_separate != outputs {
        save(folder, &outputs_separate, &case.conformance(STEPS, Float::Separate)?.outputs)?;
    }
    let step_len = case.net.input_size * if input_type == "i16" { 2 } else { 4 };
    let steps: Vec<usize> = sequences.iter().map(|sequence| sequence.len() / step_len).collect();
    let output_size = embedded_rnn::output_size(&case.model);
    let output_lens = match case.steps {
        0 => steps.iter().map(|steps| steps * output_size).collect(),
        _ => steps.iter().map(|&steps| embedded_rnn::run_output_len(&case.model, steps)).collect(),
    };
    Ok(Entry {
        name: case.net.name.into(),
        dtype: case.dtype.name().into(),
        model,
        inputs,
        outputs,
        outputs_separate,
        input_type: input_type.into(),
        output_type: output_type.into(),
        input_size: case.net.input_size,
        output_size,
        steps: fused.steps,
        sequences: steps,
        whole_sequences: case.steps != 0,
        output_lens,
        ram: case.ram_needed,
    })
}

fn save(folder: &Path, name: &str, content: &[u8]) -> Result<()> {
    let path = folder.join(name);
    fs::write(&path, content).with_context(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::{AnyBitPattern, NoUninit, Zeroable, pod_collect_to_vec};
    use embedded_rnn::{AlignedBytes, Backend, F16, F32, I8, Model, Number};

    #[test]
    fn the_files_replay() {
        let folder = std::env::temp_dir().join(format!("vector-files-{}", std::process::id()));
        let named = |name| NETS.iter().find(|net| net.name == name).unwrap();
        write(&folder, &[named("gru-10x32"), named("bidirectional-10x16")]).unwrap();
        let index: Vec<Entry> =
            serde_json::from_slice(&fs::read(folder.join("index.json")).unwrap()).unwrap();
        assert_eq!(index.len(), 6);
        for entry in &index {
            let separate = &entry.outputs_separate;
            match entry.dtype.as_str() {
                "i8" => {
                    assert_eq!(replay::<I8>(&folder, entry, Backend::best()), read::<u8>(&folder, separate))
                }
                "f16" => both::<F16>(&folder, entry),
                _ => both::<F32>(&folder, entry),
            }
        }
        fs::remove_dir_all(folder).unwrap();
    }

    fn both<N: Number>(folder: &Path, entry: &Entry) {
        let separate = read::<u8>(folder, &entry.outputs_separate);
        assert_eq!(replay::<N>(folder, entry, Backend::portable_fused()), read::<u8>(folder, &entry.outputs));
        assert_eq!(replay::<N>(folder, entry, Backend::portable()), separate);
    }

    /// Returns the outputs as a reader of the index computes them.
    fn replay<N: Number>(folder: &Path, entry: &Entry, backend: Backend) -> Vec<u8> {
        let bytes = AlignedBytes::new(&read::<u8>(folder, &entry.model));
        let model = Model::<N>::new(&bytes).unwrap().with_backend(backend);
        let mut ram = AlignedBytes::zeroed(entry.ram);
        let mut state = model.state(&mut ram).unwrap();
        let inputs: Vec<N::In> = read(folder, &entry.inputs);
        assert_eq!(inputs.len(), entry.steps * entry.input_size);
        let (mut rest, mut outputs) = (&inputs[..], Vec::new());
        for (steps, len) in entry.sequences.iter().zip(&entry.output_lens) {
            let (xs, after) = rest.split_at(steps * entry.input_size);
            rest = after;
            state.reset();
            if entry.whole_sequences {
                let mut y = vec![N::Out::zeroed(); *len];
                model.run(&mut state, xs, &mut y).unwrap();
                outputs.extend(y);
                continue;
            }
            for x in xs.chunks_exact(entry.input_size) {
                outputs.extend_from_slice(model.step(&mut state, x).unwrap());
            }
        }
        assert!(rest.is_empty(), "the sequences are all of the inputs");
        bytemuck::cast_slice(&outputs).to_vec()
    }

    fn read<T: AnyBitPattern + NoUninit>(folder: &Path, name: &str) -> Vec<T> {
        pod_collect_to_vec(&fs::read(folder.join(name)).unwrap())
    }
}
