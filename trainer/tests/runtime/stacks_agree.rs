//! The outputs of whole networks compared with the reference forward in f64: encoder-decoders, masks, and
//! layers that run backwards.

use embedded_rnn::{Backend, F32, I8};

use crate::crafted::Place;
use crate::running::{Session, model, ram, run};
use crate::stacks::{self, STEPPING, Stack, TIME, WHOLE};

/// The inputs of a decoder after the id 0.
const DECODER_IDS: [u16; 5] = [3, 1, 4, 1, 2];

/// Returns the outputs of the unmasked frames, or those of the decoder for its ids, their unit, and the
/// expected outputs.
fn outputs<N: Session>(
    stack: &Stack<'_>,
    return_sequences: bool,
    backend: Backend,
) -> (Vec<N::Out>, f32, Vec<f64>) {
    let (network, _) = stack.network(return_sequences);
    let (file, frames) = stacks::file::<N>(stack, return_sequences);
    let model = model::<N>(&file, backend);
    let mut ram = ram(&model, TIME);
    let mut state = model.state(&mut ram).unwrap();
    let mut out = run(&model, &mut state, &N::inputs(&model, &frames));
    let [frames, ids] = [frames, DECODER_IDS.map(f32::from).to_vec()]
        .map(|values| values.into_iter().map(f64::from).collect::<Vec<f64>>());
    let network = network.cast::<f64>();
    if model.has_decoder() {
        for id in [0].into_iter().chain(DECODER_IDS) {
            out.extend_from_slice(model.decoder_step(&mut state, id).unwrap());
        }
        return (out, model.output_scale(), network.predict_forced(&frames, &ids));
    }
    if model.returns_sequences() {
        let outputs = out.chunks(model.output_size()).enumerate();
        out = outputs.filter(|(t, _)| stack.is_unmasked(*t)).flat_map(|(_, y)| y.to_vec()).collect();
    }
    (out, model.output_scale(), network.predict(&frames))
}

/// Returns the largest error as a share of the largest output, or of one.
fn share(found: impl Iterator<Item = f64>, golden: &[f64]) -> f64 {
    let largest = golden.iter().fold(1f64, |largest, y| largest.max(y.abs()));
    found.zip(golden).fold(0f64, |worst, (y, golden)| worst.max((y - golden).abs())) / largest
}

/// The worst are 1.59e-7 in f32 and 0.0112 in i8.
const FLOAT: f64 = 1.91e-7;
const INT: f64 = 1.34e-2;

#[test]
fn the_outputs_of_stacks_match_their_networks() {
    let mut worst = [0f64; 2];
    for stack in STEPPING.iter().chain(&WHOLE) {
        for return_sequences in [false, true] {
            for backend in Backend::all() {
                let _place = Place((backend, return_sequences, stack.layers));
                let (found, _, golden) = outputs::<F32>(stack, return_sequences, backend);
                assert_eq!(found.len(), golden.len());
                worst[0] = worst[0].max(share(found.into_iter().map(f64::from), &golden));
            }
            let (found, unit, golden) = outputs::<I8>(stack, return_sequences, Backend::best());
            assert_eq!(found.len(), golden.len());
            let real = found.into_iter().map(|y| f64::from(y) * f64::from(unit));
            worst[1] = worst[1].max(share(real, &golden));
        }
    }
    println!("worst: {:.1e}, {:.1e}", worst[0], worst[1]);
    assert!(worst[0] < FLOAT && worst[1] < INT, "{worst:?}");
}
