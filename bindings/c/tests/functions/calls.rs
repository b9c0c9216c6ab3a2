//! The C functions compared with the runtime that they call.

use std::ffi::{CStr, c_char};

use crate::open::{Open, ok};
use embedded_rnn::{AlignedBytes, F16, F32, I8, Model, Number, ram_needed_for};
use ernn::*;

const FRAMES: [i16; 8] = [500, -30, 7000, 31, -20_000, 9, 1, 32_767];

/// Returns the outputs of the runtime, one per time step.
fn expected<N: Number>(file: &AlignedBytes, frames: &[N::In]) -> Vec<N::Out> {
    let model = Model::<N>::new(file).unwrap();
    let mut ram = AlignedBytes::zeroed(ram_needed_for(file, frames.len()));
    let mut state = model.state(&mut ram).unwrap();
    let steps = frames.chunks_exact(model.input_size());
    steps.flat_map(|x| model.step(&mut state, x).unwrap().to_vec()).collect()
}

#[test]
fn steps_of_every_dtype_are_those_of_the_runtime() {
    let mut open = Open::new("tiny.i8.ernn", 0);
    let found: Vec<i32> = FRAMES.as_chunks().0.iter().flat_map(|&x| open.step_i8(x)).collect();
    assert_eq!(found, expected::<I8>(&open.file, &FRAMES));

    let frames = [0.5, -0.25, 1.0, 0.0, 0.75, -1.0];
    for name in ["tiny.ernn", "tiny.f16.ernn"] {
        let mut open = Open::new(name, 0);
        let mut found = [0.0; 9];
        for (x, y) in frames.chunks_exact(2).zip(found.chunks_exact_mut(3)) {
            let (x, y) = (x.as_ptr(), y.as_mut_ptr());
            ok(unsafe { ernn_step_f32(&*open.model, &mut *open.state, x, 2, y, 3) });
        }
        let expected = match open.info().dtype {
            ernn_dtype_t::ERNN_F32 => expected::<F32>(&open.file, &frames),
            _ => expected::<F16>(&open.file, &frames),
        };
        assert_eq!(found, *expected);
    }
}

#[test]
fn sequences_of_a_bidirectional_model_are_those_of_the_runtime() {
    let mut open = Open::new("bidirectional.i8.ernn", 4);
    let (info, mut len) = (open.info(), 0);
    assert!(info.whole_sequences);
    ok(unsafe { ernn_output_len(&*open.model, 4, &mut len) });
    let mut found = vec![0; len];
    let (x, y) = (FRAMES.as_ptr(), found.as_mut_ptr());
    ok(unsafe { ernn_run_i8(&*open.model, &mut *open.state, x, 8, y, len) });

    let model = Model::<I8>::new(&open.file).unwrap();
    let mut ram = AlignedBytes::zeroed(ram_needed_for(&open.file, 4));
    let mut expected = vec![0; model.run_output_len(4)];
    model.run(&mut model.state(&mut ram).unwrap(), &FRAMES, &mut expected).unwrap();
    assert_eq!(found, expected);
}

#[test]
fn generated_ids_are_those_of_the_runtime() {
    let mut open = Open::new("decoder.i8.ernn", 3);
    assert!(open.info().has_decoder && open.info().takes_ids);
    let (xs, mut ids, mut count) = ([3i16, 1, 4], [0u16; 10], 0);
    unsafe {
        ok(ernn_run_i8(&*open.model, &mut *open.state, xs.as_ptr(), 3, std::ptr::null_mut(), 0));
        ok(ernn_greedy(&*open.model, &mut *open.state, 0, 0, ids.as_mut_ptr(), 10, &mut count));
    }
    let model = Model::<I8>::new(&open.file).unwrap();
    let mut ram = AlignedBytes::zeroed(ram_needed_for(&open.file, 3));
    let mut state = model.state(&mut ram).unwrap();
    model.run(&mut state, &xs, &mut []).unwrap();
    assert_eq!(&ids[..count], model.greedy(&mut state, 0, 0, &mut [0; 10]).unwrap());
}

#[test]
fn facts_are_those_of_the_file() {
    let open = Open::new("letters.i8.ernn", 0);
    let (info, model) = (open.info(), Model::<I8>::new(&open.file).unwrap());
    assert_eq!(info.dtype, ernn_dtype_t::ERNN_I8);
    assert_eq!([info.input_size, info.output_size], [model.input_size(), model.output_size()]);
    assert_eq!([info.layers, info.labels], [model.layers().len(), 5]);
    assert_eq!([info.ram, info.saved_len], [embedded_rnn::ram_needed(&open.file), model.saved_len()]);
    assert_eq!(
        [info.file_len, info.output_scale.to_bits() as usize],
        [model.bytes().len(), model.output_scale().to_bits() as usize]
    );
    let mut text = [1 as c_char; 8];
    ok(unsafe { ernn_label(&*open.model, 3, text.as_mut_ptr(), 2) });
    assert_eq!(unsafe { CStr::from_ptr(text.as_ptr()) }, c"n");
    assert_eq!(text[2], 1, "nothing is written behind the zero");
}

#[test]
fn a_restored_state_continues_and_a_reset_one_starts_again() {
    let mut open = Open::new("tiny.i8.ernn", 0);
    let start = open.step_i8([100, 200]);
    let mut saved = vec![0u8; open.info().saved_len];
    let mut used = 0;
    let to = saved.as_mut_ptr().cast();
    ok(unsafe { ernn_save(&*open.model, &mut *open.state, to, saved.len(), &mut used) });
    let next = open.step_i8([-300, 50]);
    ok(unsafe { ernn_reset(&mut *open.state) });
    assert_eq!(open.step_i8([100, 200]), start);
    ok(unsafe { ernn_self_test(&*open.model, &mut *open.state) });
    ok(unsafe { ernn_restore(&*open.model, &mut *open.state, saved.as_ptr().cast(), used) });
    assert_eq!(open.step_i8([-300, 50]), next);
}

#[test]
fn real_values_are_quantized_and_dequantized_as_by_the_runtime() {
    let open = Open::new("tiny.i8.ernn", 0);
    let model = Model::<I8>::new(&open.file).unwrap();
    let (x, mut found, mut expected) = ([0.5, -0.25], [0; 2], [0; 2]);
    ok(unsafe { ernn_quantize(&*open.model, x.as_ptr(), 2, found.as_mut_ptr(), 2) });
    model.quantize_input(&x, &mut expected).unwrap();
    assert_eq!(found, expected);
    let (y, mut found, mut expected) = ([7, -90, 1234], [0.0; 3], [0.0; 3]);
    ok(unsafe { ernn_dequantize(&*open.model, y.as_ptr(), 3, found.as_mut_ptr(), 3) });
    model.dequantize_output(&y, &mut expected).unwrap();
    assert_eq!(found, expected);
}
