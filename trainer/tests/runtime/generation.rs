//! Autoregressive generation matches single time steps with the most probable id of each.

use embedded_rnn::format::LayerRecord;
use embedded_rnn::{Backend, Error, F32, I8, Kind, Model, Number, State};
use embedded_rnn_trainer::pack::AlignedBytes;

use crate::files::{Layer, file};
use crate::running::{bits, model, ram, run, save};
use crate::stacks::{STEPPING, Stack, TIME, WHOLE, everywhere};
use crate::variants::{FRAC, Variant};

/// A model without an encoder whose outputs are scores of its input ids.
const ONE_TO_MANY: Stack<'static> = Stack::of(
    1,
    "{ type = 'Embedding', input_dim = 6, output_dim = 5 },
     { type = 'GRU', units = 9, return_sequences = true },
     { type = 'LSTM', units = 5{last} }, { type = 'Dense', units = 6 }",
);

/// Returns the index of the first of the largest values.
fn likeliest<T: PartialOrd + Copy>(output: &[T]) -> u16 {
    let largest = output.iter().fold(output[0], |a, &b| if b > a { b } else { a });
    output.iter().position(|&y| y == largest).unwrap() as u16
}

/// Generates up to `most` ids before `end` by single time steps; returns the ids and the outputs.
fn by_single_steps<N: Number>(
    model: &Model<'_, N>,
    state: &mut State<'_, N>,
    first: u16,
    end: u16,
    most: usize,
) -> (Vec<u16>, Vec<N::Out>) {
    let (mut generated, mut outputs, mut id) = (Vec::new(), Vec::new(), first);
    loop {
        let output = model.decoder_step(state, id).unwrap();
        outputs.extend_from_slice(output);
        id = likeliest(output);
        if id == end || generated.len() == most {
            return (generated, outputs);
        }
        generated.push(id);
        if generated.len() == most {
            return (generated, outputs);
        }
    }
}

fn generation_matches_single_steps<N: Number>(_: &Stack<'_>, model: &Model<'_, N>, xs: &[N::In]) {
    let first = &model.layers()[model.preamble().decoder_at as usize];
    if first.input_dim != model.output_size() as u32
        || (model.needs_whole_sequences() && !model.has_decoder())
    {
        return;
    }
    let mut rams = [ram(model, TIME), ram(model, TIME)];
    let [mut state, mut other] = rams.each_mut().map(|ram| model.state(ram).unwrap());
    let size = model.input_size();
    for steps in [3, 4, TIME - 3] {
        run(model, &mut state, &xs[2 * size..(2 + steps) * size]);
        let start = save(model, &state);
        for end in 0..first.input_dim as u16 {
            for most in [0, 1, 2, 20] {
                [&mut state, &mut other].into_iter().for_each(|state| state.restore(model, &start).unwrap());
                let (golden, golden_outputs) = by_single_steps(model, &mut other, 1, end, most);
                let mut out = vec![99; most];
                assert_eq!(model.greedy(&mut state, 1, end, &mut out).unwrap(), golden);
                assert!(out[golden.len()..].iter().all(|&id| id == 99));
                assert_eq!(save(model, &state), save(model, &other));
                // `generate`, with the ids chosen by the caller.
                state.restore(model, &start).unwrap();
                let mut outputs = Vec::new();
                let mut next = golden.iter();
                let choose = |output: &[N::Out]| {
                    outputs.extend_from_slice(output);
                    next.next().copied().filter(|_| outputs.len() < golden_outputs.len())
                };
                model.generate(&mut state, 1, choose).unwrap();
                assert_eq!(bits(&outputs), bits(&golden_outputs));
                assert_eq!(save(model, &state), save(model, &other));
            }
        }
    }
}

#[test]
fn greedy_and_generate_match_single_steps() {
    everywhere!(STEPPING, generation_matches_single_steps);
    everywhere!(WHOLE, generation_matches_single_steps);
    everywhere!([ONE_TO_MANY], generation_matches_single_steps);
}

/// Asserts that `decoder_step` is `step` in a model over ids, and that `generate` rejects an id out of range.
fn ids_are_steps<N: Number>(_: &Stack<'_>, model: &Model<'_, N>, xs: &[N::In]) {
    let mut rams = [ram(model, 0), ram(model, 0)];
    let [mut state, mut other] = rams.each_mut().map(|ram| model.state(ram).unwrap());
    for x in xs {
        let id = (0..6).find(|&id| bits(&[N::of_id(id)]) == bits(&[*x])).unwrap();
        let y = model.decoder_step(&mut state, id).unwrap();
        assert_eq!(bits(y), bits(model.step(&mut other, &[*x]).unwrap()));
    }
    assert_eq!(save(model, &state), save(model, &other));
    let mut calls = 0;
    let error = model.generate(&mut state, 5, |_| {
        calls += 1;
        Some([4, 6][calls - 1])
    });
    assert_eq!((error, calls), (Err(Error::Id { index: 0, input_dim: 6 }), 2));
}

#[test]
fn models_over_ids_without_an_encoder_are_their_own_decoder() {
    everywhere!([ONE_TO_MANY], ids_are_steps);
}

/// Returns a model of `count` ids whose outputs are zero, and one in these units.
fn of_largest(count: u32, largest: &[usize]) -> AlignedBytes {
    let record = |kind: Kind| Variant::of_kind(kind).record::<F32>();
    let embedding = LayerRecord { input_dim: count, ..record(Kind::Embedding) };
    let dense = LayerRecord { units: count, ..record(Kind::Dense) };
    // A panel of eight units has its biases, then the weights of the one input.
    let mut words = vec![0; count.next_multiple_of(8) as usize * 2];
    largest.iter().for_each(|unit| words[unit / 8 * 16 + unit % 8] = 1f32.to_bits());
    let layers =
        [Layer { record: embedding, words: vec![0; count as usize] }, Layer { record: dense, words }];
    file::<F32>(&layers, 0)
}

#[test]
fn the_most_probable_id_is_the_lowest_of_equals_and_has_16_bits() {
    for (count, largest, expected) in [
        (9, &[][..], 0),
        (9, &[8], 8),
        (9, &[3, 8], 3),
        (65_535, &[65_534], 65_534),
        (65_536, &[65_535], 65_535),
        (65_544, &[65_535, 65_536], 65_535),
        // An id has 16 bits.
        (65_544, &[65_536], 0),
    ] {
        let file = of_largest(count, largest);
        let model = model::<F32>(&file, Backend::best());
        let mut ram = ram(&model, 0);
        let mut out = [7; 2];
        let end = if expected == 0 { 1 } else { 0 };
        let found = model.greedy(&mut model.state(&mut ram).unwrap(), 0, end, &mut out).unwrap();
        assert_eq!(found, [expected; 2], "{largest:?} of {count}");
    }
}

/// Every 16-bit id is valid.
#[test]
fn an_integer_embedding_has_65_536_ids() {
    let count = 1 << 16;
    let record = LayerRecord { input_dim: count, ..Variant::of_kind(Kind::Embedding).record::<I8>() };
    // Each row has the multiplier of one and one weight: of half the id, even rows have the low byte, odd
    // rows the high byte.
    let words = (0..count)
        .flat_map(|id| [1 << (21 - FRAC), if id % 2 == 0 { id >> 1 & 0xff } else { id >> 9 }])
        .collect();
    let file = file::<I8>(&[Layer { record, words }], 0);
    let model = model::<I8>(&file, Backend::best());
    let mut ram = ram(&model, 0);
    let mut state = model.state(&mut ram).unwrap();
    for id in 0..=u16::MAX {
        let half = if id % 2 == 0 { id >> 1 } else { id >> 9 };
        let expected = i32::from(half as u8 as i8);
        assert_eq!(model.decoder_step(&mut state, id).unwrap(), [expected], "{id}");
        assert_eq!(model.step(&mut state, &[id as i16]).unwrap(), [expected], "{id}");
    }
}
