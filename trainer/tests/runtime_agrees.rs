//! The runtime's answers against the trainer's plain reference in f64, on every backend of this machine.

use embedded_rnn::{Backend, F32, I8, Model};
use embedded_rnn_trainer::pack::{AlignedBytes, CellKind, random_files, random_net};

const SIZES: [(usize, usize); 9] =
    [(1, 8), (1, 16), (10, 32), (3, 13), (40, 64), (1, 50), (5, 3), (8, 1), (40, 128)];
const STEPS: usize = 200;

/// Largest errors over 200 steps of random cells: f32 by rounding, i8 by weights of 8 bits. A SimpleRNN has no cell
/// state to average over steps, so its error is that of a chain of 200 tanh.
fn tolerance(cell: CellKind) -> (f64, f64) {
    match cell {
        CellKind::Lstm => (1e-6, 5e-3),
        CellKind::SimpleRnn => (3e-6, 3e-2),
    }
}

fn worst(found: impl Iterator<Item = f64>, golden: &[f64]) -> f64 {
    found.zip(golden).fold(0f64, |worst, (found, golden)| worst.max((found - golden).abs()))
}

fn float_outputs(file: &AlignedBytes, backend: Backend, frames: &[f32], len: usize) -> Vec<f32> {
    let model = Model::<F32>::new(file).unwrap().with_backend(backend);
    let mut ram = AlignedBytes::new(&vec![0; model.preamble().ram_needed as usize]);
    let mut state = model.state(&mut ram).unwrap();
    model.self_test(&mut state).unwrap();
    let mut out = vec![0.0; len];
    model.run(&mut state, frames, &mut out).unwrap();
    out
}

fn int_outputs(file: &AlignedBytes, backend: Backend, frames: &[f32], len: usize) -> Vec<i32> {
    let model = Model::<I8>::new(file).unwrap().with_backend(backend);
    let mut ram = AlignedBytes::new(&vec![0; model.preamble().ram_needed as usize]);
    let mut state = model.state(&mut ram).unwrap();
    model.self_test(&mut state).unwrap();
    let mut x = vec![0; frames.len()];
    let size = model.input_size();
    for (x, frame) in x.chunks_exact_mut(size).zip(frames.chunks_exact(size)) {
        model.quantize_input(frame, x).unwrap();
    }
    let mut out = vec![0; len];
    model.run(&mut state, &x, &mut out).unwrap();
    out
}

#[test]
fn every_backend_agrees_with_the_reference_and_the_same_arithmetic_bit_for_bit() {
    for cell in [CellKind::Lstm, CellKind::SimpleRnn] {
        let (float_tolerance, int_tolerance) = tolerance(cell);
        for (i, h) in SIZES {
            let (net, frames) = random_net(cell, i, h, STEPS, 7);
            let (float, int) = random_files(&net, &frames).unwrap();
            let (float, int) = (AlignedBytes::new(&float), AlignedBytes::new(&int));
            let inputs: Vec<f64> = frames.iter().map(|&x| x.into()).collect();
            let golden = net.cast::<f64>().predict(&inputs);
            let fused = float_outputs(&float, Backend::portable_fused(), &frames, golden.len());
            let specified = int_outputs(&int, Backend::portable(), &frames, golden.len());
            for backend in Backend::all() {
                let place = format!("{cell:?} {i}->{h} on {}", backend.name());
                let out = float_outputs(&float, backend, &frames, golden.len());
                let error = worst(out.iter().map(|&y| y.into()), &golden);
                assert!(error < float_tolerance, "{place}: f32 error {error:e}");
                assert!(!backend.is_fused() || out == fused, "{place}: other bits than fused f32");
                let out = int_outputs(&int, backend, &frames, golden.len());
                let error = worst(out.iter().map(|&y| f64::from(y) / 32768.0), &golden);
                assert!(error < int_tolerance, "{place}: i8 error {error:e}");
                assert_eq!(out, specified, "{place}: other bits than the specification");
            }
        }
    }
}
