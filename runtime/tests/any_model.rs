//! A model of any dtype computes what a model of its dtype does, between real values.
#![cfg(feature = "std")]

use std::path::{Path, PathBuf};

use embedded_rnn::{
    AlignedBytes, AnyModel, DType, Error, F16, F32, I8, Model, QuantIo, ram_needed_for, run_output_len,
    saved_len,
};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

const FILES: [&str; 6] = [
    "tiny.ernn",
    "tiny.f16.ernn",
    "tiny.i8.ernn",
    "letters.i8.ernn",
    "decoder.i8.ernn",
    "bidirectional.i8.ernn",
];

/// Four time steps; ids if the model takes them.
fn inputs(model: &AnyModel) -> Vec<f32> {
    let count = 4 * model.input_size();
    match model.input_ids() {
        Some(ids) => (0..count).map(|k| (k * 3 % ids) as f32).collect(),
        None => (0..count).map(|k| ((k * 37) % 21) as f32 / 10.0 - 1.0).collect(),
    }
}

fn run<N: QuantIo>(any: &AnyModel, xs: &[f32]) -> Vec<f32> {
    let model: Model<'_, N> = any.as_model().unwrap();
    let mut ram = AlignedBytes::zeroed(ram_needed_for(any.bytes(), 4));
    let mut state = model.state(&mut ram).unwrap();
    assert_eq!(run_output_len(any.bytes(), 4), model.run_output_len(4));
    let mut out = vec![0.0; model.run_output_len(4)];
    let mut scratch = vec![bytemuck::Zeroable::zeroed(); xs.len()];
    model.run_real(&mut state, xs, &mut scratch, &mut out).unwrap();
    out
}

#[test]
fn every_file_runs_and_passes_its_own_test() {
    for name in FILES {
        let any = AnyModel::read(path(name)).unwrap();
        any.self_test().unwrap();
        let xs = inputs(&any);
        let expected = match any.dtype() {
            DType::F32 => run::<F32>(&any, &xs),
            DType::F16 => run::<F16>(&any, &xs),
            DType::I8 => run::<I8>(&any, &xs),
            _ => unreachable!(),
        };
        assert_eq!(any.run(&mut any.state().unwrap(), &xs).unwrap(), expected, "{name}");
    }
}

#[test]
fn steps_and_chunks_are_the_run() {
    for name in ["tiny.ernn", "tiny.f16.ernn", "tiny.i8.ernn", "letters.i8.ernn"] {
        let any = AnyModel::read(path(name)).unwrap();
        let xs = inputs(&any);
        let whole = any.run(&mut any.state().unwrap(), &xs).unwrap();
        let mut state = any.state().unwrap();
        let steps = xs.chunks(any.input_size()).map(|x| any.step(&mut state, x).unwrap().to_vec());
        assert_eq!(steps.collect::<Vec<_>>().concat(), whole, "{name}");
        let mut state = any.state().unwrap();
        let chunks = xs.chunks(3 * any.input_size()).map(|xs| any.run(&mut state, xs).unwrap());
        assert_eq!(chunks.collect::<Vec<_>>().concat(), whole, "{name}");
    }
}

#[test]
fn any_room_for_quantized_inputs_gives_the_same_bits() {
    let any = AnyModel::read(path("tiny.i8.ernn")).unwrap();
    let model: Model<'_, I8> = any.as_model().unwrap();
    let xs = inputs(&any);
    let whole = run::<I8>(&any, &xs);
    for room in 2..xs.len() {
        let mut ram = AlignedBytes::zeroed(ram_needed_for(any.bytes(), 4));
        let mut state = model.state(&mut ram).unwrap();
        let mut out = vec![0.0; whole.len()];
        model.run_real(&mut state, &xs, &mut vec![0; room], &mut out).unwrap();
        assert_eq!(out, whole, "{room}");
    }
    let mut ram = AlignedBytes::zeroed(ram_needed_for(any.bytes(), 4));
    let mut state = model.state(&mut ram).unwrap();
    let too_small = Error::BufferTooSmall { expected: 4, found: 2 };
    let mut out = vec![0.0; whole.len()];
    assert_eq!(model.run_real(&mut state, &xs, &mut [0], &mut out), Err(too_small));
}

#[test]
fn saved_states_are_as_long_as_the_bytes_of_the_file_declare() {
    for name in FILES {
        let any = AnyModel::read(path(name)).unwrap();
        let expected = match any.dtype() {
            DType::F32 => any.as_model::<F32>().unwrap().saved_len(),
            DType::F16 => any.as_model::<F16>().unwrap().saved_len(),
            _ => any.as_model::<I8>().unwrap().saved_len(),
        };
        assert_eq!(saved_len(any.bytes()), expected, "{name}");
    }
}

#[test]
fn a_saved_state_goes_on_where_it_was() {
    let any = AnyModel::read(path("tiny.i8.ernn")).unwrap();
    let mut state = any.state().unwrap();
    any.step(&mut state, &[0.5, -0.25]).unwrap();
    let saved = any.save(&mut state).unwrap();
    let next = any.step(&mut state, &[1.0, 1.0]).unwrap().to_vec();
    state.reset();
    assert_ne!(any.step(&mut state, &[1.0, 1.0]).unwrap(), next);
    any.restore(&mut state, &saved).unwrap();
    assert_eq!(any.step(&mut state, &[1.0, 1.0]).unwrap(), next);
}

#[test]
fn states_belong_to_their_models() {
    let [tiny, letters] = ["tiny.ernn", "letters.i8.ernn"].map(|name| AnyModel::read(path(name)).unwrap());
    let mut state = letters.state().unwrap();
    assert_eq!(tiny.run(&mut state, &[0.5, 0.5]), Err(Error::ForeignState));
}

#[test]
fn labels_are_those_of_the_file() {
    let any = AnyModel::read(path("letters.i8.ernn")).unwrap();
    assert_eq!((any.label(0), any.label(4), any.label(5)), (Some("."), Some("r"), None));
    assert_eq!(AnyModel::read(path("tiny.ernn")).unwrap().label(0), None);
}

#[test]
fn errors_name_the_file_and_the_reason() {
    let missing = AnyModel::read(path("none.ernn")).unwrap_err();
    assert!(missing.to_string().contains("none.ernn: "), "{missing}");
    assert_eq!(missing.model_error(), None);
    let other = AnyModel::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap_err();
    assert_eq!(other.model_error(), Some(Error::NotAModel));
    let reason = other.to_string();
    assert!(reason.contains("Cargo.toml: not a model file"), "{reason}");
}

/// A preamble that declares 4 GiB is believed as far as there are bytes.
#[test]
fn files_are_read_no_further_than_they_go() {
    let mut bytes = std::fs::read(path("tiny.ernn")).unwrap();
    let (len, file_len) = (bytes.len(), 8);
    bytes[file_len..file_len + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    let file = std::env::temp_dir().join(format!("embedded-rnn-{}.ernn", std::process::id()));
    std::fs::write(&file, &bytes).unwrap();
    let error = AnyModel::read(&file).unwrap_err();
    std::fs::remove_file(&file).unwrap();
    let expected = u32::MAX as usize;
    assert_eq!(error.model_error(), Some(Error::Truncated { expected, found: len }));
}

#[test]
fn integers_of_the_file_go_in_and_out_without_a_conversion() {
    for name in FILES.into_iter().filter(|name| name.ends_with(".i8.ernn")) {
        let any = AnyModel::read(path(name)).unwrap();
        let model: Model<'_, I8> = any.as_model().unwrap();
        let xs = inputs(&any);
        let mut quantized = vec![0; xs.len()];
        let size = any.input_size();
        for (x, quantized) in xs.chunks(size).zip(quantized.chunks_mut(size)) {
            model.quantize_input(x, quantized).unwrap();
        }
        let real = |y: &[i32]| y.iter().map(|&y| y as f32 * model.output_scale()).collect::<Vec<_>>();
        let (mut state, mut other) = (any.state().unwrap(), any.state().unwrap());
        let y = any.run_as::<I8>(&mut state, &quantized).unwrap();
        assert_eq!(real(&y), any.run(&mut other, &xs).unwrap(), "{name}");
        if !any.needs_whole_sequences() && !any.has_decoder() {
            let y = any.step_as::<I8>(&mut state, &quantized[..size]).unwrap();
            assert_eq!(real(&y), any.step(&mut other, &xs[..size]).unwrap(), "{name}");
        }
        let expected = Error::WrongDType { expected: DType::F32, found: DType::I8 as u8 };
        assert_eq!(any.step_as::<F32>(&mut state, &xs[..size]), Err(expected));
        assert_eq!(any.run_as::<F32>(&mut state, &xs), Err(expected));
    }
}
