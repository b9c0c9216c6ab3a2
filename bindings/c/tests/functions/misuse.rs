//! Misuse of the C functions: each has an error code.

use std::collections::BTreeSet;
use std::ffi::CStr;
use std::ptr::{null, null_mut};

use crate::open::{Open, file, ok, zeroed};
use embedded_rnn::AlignedBytes;
use ernn::ernn_status_t::*;
use ernn::*;

/// Returns the status of opening these bytes.
fn open(bytes: &[u8]) -> ernn_status_t {
    let mut model = zeroed();
    unsafe { ernn_open(&mut model, bytes.as_ptr().cast(), bytes.len()) }
}

/// Returns the status of a step with buffers of these lengths.
fn step(open: &mut Open, x_len: usize, y_len: usize) -> ernn_status_t {
    let (x, mut y) = ([0i16; 8], [0i32; 8]);
    unsafe { ernn_step_i8(&*open.model, &mut *open.state, x.as_ptr(), x_len, y.as_mut_ptr(), y_len) }
}

#[test]
fn null_pointers_are_rejected() {
    let mut o = Open::new("tiny.i8.ernn", 0);
    let (x, mut y, mut real, mut text, mut used) = ([0i16; 2], [0i32; 3], [0f32; 3], [0; 9], 0);
    let (m, s, bytes) = (&raw const *o.model, &raw mut *o.state, o.file.as_ptr());
    let (len, ram_len, ram) = (o.file.len(), o.ram.len(), o.ram.as_mut_ptr());
    let (no_model, no_state) = (null::<ernn_model_t>(), null_mut::<ernn_state_t>());
    let (x, y, real, text) = (x.as_ptr(), y.as_mut_ptr(), real.as_mut_ptr(), text.as_mut_ptr());
    let buffer = text.cast();
    let all = unsafe {
        [
            ernn_open(null_mut(), bytes.cast(), len),
            ernn_open(&mut zeroed(), null(), len),
            ernn_info(no_model, &mut o.info()),
            ernn_info(m, null_mut()),
            ernn_ram_needed(no_model, 0, &mut used),
            ernn_ram_needed(m, 0, null_mut()),
            ernn_output_len(no_model, 0, &mut used),
            ernn_output_len(m, 0, null_mut()),
            ernn_label(no_model, 0, text, 9),
            ernn_state_init(no_state, m, ram.cast(), ram_len),
            ernn_state_init(&mut zeroed(), no_model, ram.cast(), ram_len),
            ernn_state_init(&mut zeroed(), m, null_mut(), ram_len),
            ernn_reset(no_state),
            ernn_self_test(no_model, s),
            ernn_self_test(m, no_state),
            ernn_save(no_model, s, buffer, 9, &mut used),
            ernn_save(m, no_state, buffer, 9, &mut used),
            ernn_save(m, s, null_mut(), 9, &mut used),
            ernn_save(m, s, buffer, 9, null_mut()),
            ernn_restore(no_model, s, buffer, 9),
            ernn_restore(m, no_state, buffer, 9),
            ernn_restore(m, s, null(), 9),
            ernn_step_i8(no_model, s, x, 2, y, 3),
            ernn_step_i8(m, no_state, x, 2, y, 3),
            ernn_step_i8(m, s, null(), 2, y, 3),
            ernn_step_i8(m, s, x, 2, null_mut(), 3),
            ernn_run_i8(m, s, null(), 2, y, 3),
            ernn_step_f32(m, s, null(), 2, real, 3),
            ernn_run_f32(m, s, real, 2, null_mut(), 3),
            ernn_quantize(no_model, real, 2, x.cast_mut(), 2),
            ernn_quantize(m, null(), 2, x.cast_mut(), 2),
            ernn_quantize(m, real, 2, null_mut(), 2),
            ernn_dequantize(m, null(), 3, real, 3),
            ernn_dequantize(m, y, 3, null_mut(), 3),
            ernn_greedy(m, s, 0, 0, null_mut(), 4, &mut used),
            ernn_greedy(m, s, 0, 0, x.cast_mut().cast(), 2, null_mut()),
        ]
    };
    for (index, status) in all.into_iter().enumerate() {
        assert_eq!(status, ERNN_ERROR_NULL, "call {index}");
    }
    let letters = Open::new("letters.i8.ernn", 0);
    assert_eq!(unsafe { ernn_label(&*letters.model, 0, null_mut(), 9) }, ERNN_ERROR_NULL);
}

#[test]
fn handles_that_were_not_initialized_are_rejected() {
    let mut o = Open::new("tiny.i8.ernn", 0);
    let (mut model, mut state) = (zeroed(), zeroed());
    let ram = o.ram.as_mut_ptr().cast();
    unsafe {
        assert_eq!(ernn_info(&model, &mut o.info()), ERNN_ERROR_HANDLE);
        assert_eq!(ernn_state_init(&mut state, &model, ram, o.ram.len()), ERNN_ERROR_HANDLE);
        assert_eq!(ernn_reset(&mut state), ERNN_ERROR_HANDLE);
        assert_eq!(ernn_self_test(&*o.model, &mut state), ERNN_ERROR_HANDLE);
        // A handle of the other type, and one whose last opening was rejected.
        assert_eq!(ernn_reset((&raw mut *o.model).cast()), ERNN_ERROR_HANDLE);
        ok(ernn_open(&mut model, o.file.as_ptr().cast(), o.file.len()));
        assert_eq!(ernn_open(&mut model, o.file.as_ptr().cast(), 9), ERNN_ERROR_TRUNCATED);
        assert_eq!(ernn_info(&model, &mut o.info()), ERNN_ERROR_HANDLE);
    }
}

#[test]
fn damaged_and_unaligned_models_are_rejected() {
    let good = file("tiny.i8.ernn");
    let changed = |at: usize, value: u8| {
        let mut bytes = AlignedBytes::new(&good);
        bytes[at] = value;
        open(&bytes)
    };
    assert_eq!(changed(0, b'X'), ERNN_ERROR_NOT_A_MODEL);
    assert_eq!(changed(4, 99), ERNN_ERROR_VERSION);
    assert_eq!(changed(good.len() - 1, !good[good.len() - 1]), ERNN_ERROR_CHECKSUM);
    assert_eq!(open(&good[..good.len() - 1]), ERNN_ERROR_TRUNCATED);
    assert_eq!(open(&[]), ERNN_ERROR_NOT_A_MODEL);
    let mut shifted = AlignedBytes::zeroed(good.len() + 1);
    shifted[1..].copy_from_slice(&good);
    assert_eq!(open(&shifted[1..]), ERNN_ERROR_ALIGNMENT);
}

#[test]
fn short_buffers_are_rejected() {
    let mut o = Open::new("tiny.i8.ernn", 0);
    for (x_len, y_len, expected) in [
        (1, 3, ERNN_ERROR_INPUT_LENGTH),
        (3, 3, ERNN_ERROR_INPUT_LENGTH),
        (0, 3, ERNN_ERROR_INPUT_LENGTH),
        (2, 2, ERNN_ERROR_OUTPUT_LENGTH),
        (2, 4, ERNN_ERROR_OUTPUT_LENGTH),
    ] {
        assert_eq!(step(&mut o, x_len, y_len), expected, "{x_len} and {y_len}");
    }
    let (mut used, mut buffer, mut x) = (0, [0u8; 4], [0i16; 2]);
    let (m, s, ram) = (&raw const *o.model, &raw mut *o.state, o.ram.as_mut_ptr().cast());
    let real = [0f32; 2];
    unsafe {
        assert_eq!(ernn_state_init(&mut zeroed(), m, ram, o.ram.len() - 4), ERNN_ERROR_RAM);
        assert_eq!(ernn_state_init(&mut zeroed(), m, ram.byte_add(1), o.ram.len()), ERNN_ERROR_ALIGNMENT);
        assert_eq!(ernn_save(m, s, buffer.as_mut_ptr().cast(), 4, &mut used), ERNN_ERROR_BUFFER);
        assert_eq!(ernn_restore(m, s, buffer.as_ptr().cast(), 4), ERNN_ERROR_SAVED_STATE);
        assert_eq!(ernn_quantize(m, real.as_ptr(), 1, x.as_mut_ptr(), 1), ERNN_ERROR_INPUT_LENGTH);
        assert_eq!(ernn_quantize(m, real.as_ptr(), 2, x.as_mut_ptr(), 1), ERNN_ERROR_OUTPUT_LENGTH);
    }
    // More bytes than an address space has.
    assert_eq!(step(&mut o, usize::MAX / 2, 3), ERNN_ERROR_BUFFER);
    let letters = Open::new("letters.i8.ernn", 0);
    let (label, text) = (&*letters.model, &mut [0; 4]);
    unsafe {
        assert_eq!(ernn_label(label, 1, text.as_mut_ptr(), 1), ERNN_ERROR_BUFFER);
        assert_eq!(ernn_label(label, 1, text.as_mut_ptr(), 0), ERNN_ERROR_BUFFER);
        assert_eq!(ernn_label(label, 5, text.as_mut_ptr(), 4), ERNN_ERROR_NO_LABEL);
    }
    let mut whole = Open::new("bidirectional.i8.ernn", 1);
    let len = whole.info().output_size;
    assert_eq!(step(&mut whole, 2, len), ERNN_ERROR_WHOLE_SEQUENCE);
    let (x, mut y) = ([0i16; 200], [0i32; 600]);
    let len = 100 * len;
    let status =
        unsafe { ernn_run_i8(&*whole.model, &mut *whole.state, x.as_ptr(), 200, y.as_mut_ptr(), len) };
    assert_eq!(status, ERNN_ERROR_RAM);
}

#[test]
fn wrong_dtypes_ids_and_foreign_states_are_rejected() {
    let (mut i8, mut f32) = (Open::new("tiny.i8.ernn", 0), Open::new("tiny.ernn", 0));
    let mut letters = Open::new("letters.i8.ernn", 0);
    let (real, mut y) = ([0f32; 2], [0f32; 3]);
    let (x, mut sums, mut count) = ([0i16; 2], [0i32; 3], 0);
    let (to, from) = (y.as_mut_ptr(), real.as_ptr());
    unsafe {
        assert_eq!(ernn_step_f32(&*i8.model, &mut *i8.state, from, 2, to, 3), ERNN_ERROR_DTYPE);
        assert_eq!(
            ernn_step_i8(&*f32.model, &mut *f32.state, x.as_ptr(), 2, sums.as_mut_ptr(), 3),
            ERNN_ERROR_DTYPE
        );
        assert_eq!(ernn_dequantize(&*f32.model, sums.as_ptr(), 3, to, 3), ERNN_ERROR_DTYPE);
        // A state of another dtype, and one of another model of the same dtype.
        assert_eq!(ernn_self_test(&*i8.model, &mut *f32.state), ERNN_ERROR_FOREIGN_STATE);
        assert_eq!(ernn_self_test(&*i8.model, &mut *letters.state), ERNN_ERROR_FOREIGN_STATE);
        let status = ernn_greedy(&*i8.model, &mut *i8.state, 0, 0, [0; 3].as_mut_ptr(), 3, &mut count);
        assert_eq!(status, ERNN_ERROR_NO_DECODER);
    }
    let mut saved = vec![0u8; letters.info().saved_len];
    let (to, len) = (saved.as_mut_ptr().cast(), saved.len());
    unsafe {
        ok(ernn_save(&*letters.model, &mut *letters.state, to, len, &mut count));
        assert_eq!(ernn_restore(&*i8.model, &mut *i8.state, to, count), ERNN_ERROR_FOREIGN_STATE);
    }
    let info = letters.info();
    let (id, mut y) = ([info.output_size as i16 + 100], vec![0; info.output_size]);
    let (m, s) = (&*letters.model, &mut *letters.state);
    let status = unsafe { ernn_step_i8(m, s, id.as_ptr(), 1, y.as_mut_ptr(), y.len()) };
    assert_eq!(status, ERNN_ERROR_ID);
}

#[test]
fn misaligned_and_overlapping_buffers_are_rejected() {
    let mut o = Open::new("tiny.i8.ernn", 0);
    let mut words = [0i32; 8];
    let (m, s, ram) = (&raw const *o.model, &raw mut *o.state, o.ram.as_mut_ptr());
    let (x, y) = (words.as_mut_ptr().cast::<i16>(), words.as_mut_ptr().wrapping_add(4));
    unsafe {
        assert_eq!(ernn_step_i8(m, s, x.byte_add(1), 2, y, 3), ERNN_ERROR_ALIGNMENT);
        assert_eq!(ernn_step_i8(m, s, x, 2, y.byte_add(2), 3), ERNN_ERROR_ALIGNMENT);
        assert_eq!(ernn_reset(s.byte_add(4)), ERNN_ERROR_ALIGNMENT);
        for overlapping in [x.cast(), ram.cast(), s.cast(), m.cast_mut().cast(), o.file.as_mut_ptr().cast()] {
            assert_eq!(ernn_step_i8(m, s, x, 2, overlapping, 3), ERNN_ERROR_OVERLAP);
        }
        assert_eq!(ernn_step_i8(m, s, ram.cast(), 2, y, 3), ERNN_ERROR_OVERLAP);
        let (mut state, len, used) = (zeroed::<ernn_state_t>(), o.file.len(), y.cast());
        assert_eq!(ernn_state_init(&mut state, m, o.file.as_mut_ptr().cast(), len), ERNN_ERROR_OVERLAP);
        assert_eq!(ernn_save(m, s, ram.cast(), o.ram.len(), used), ERNN_ERROR_OVERLAP);
        assert_eq!(ernn_save(m, s, used.cast(), 8, used), ERNN_ERROR_OVERLAP);
        assert_eq!(ernn_ram_needed(m, 0, m.cast_mut().cast()), ERNN_ERROR_OVERLAP);
    }
    assert_eq!(step(&mut o, 2, 3), ERNN_OK, "rejected calls change nothing");
}

#[test]
fn every_status_has_a_text_of_its_own() {
    let text = |status: i32| unsafe { CStr::from_ptr(ernn_strerror(status)) }.to_str().unwrap();
    let known: Vec<&str> = (0..=ERNN_ERROR_OTHER as i32).map(text).collect();
    assert_eq!(known.iter().collect::<BTreeSet<_>>().len(), known.len());
    assert_eq!(known[ERNN_ERROR_OVERLAP as usize], "buffers overlap");
    assert_eq!(known[ERNN_ERROR_NO_LABEL as usize], "no such label");
    for unknown in [-1, ERNN_ERROR_OTHER as i32 + 1, i32::MIN, i32::MAX] {
        assert_eq!(text(unknown), "unknown status");
    }
}
