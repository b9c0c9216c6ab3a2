//! Answers fed back: what is written follows from single steps and the likeliest of each.

use embedded_rnn::format::LayerRecord;
use embedded_rnn::{Backend, Error, F32, I8, Kind, Model, Number, State};
use embedded_rnn_trainer::pack::AlignedBytes;

use crate::files::{Layer, file};
use crate::running::{bits, model, ram, run, save};
use crate::stacks::{STEPPING, Stack, TIME, WHOLE, everywhere};
use crate::variants::Variant;

/// A model of one chain whose answers are ids that it takes.
const ONE_TO_MANY: Stack<'static> = Stack::of(
    1,
    "{ type = 'Embedding', input_dim = 6, output_dim = 5 }, { type = 'GRU', units = 9, return_sequences = true },
     { type = 'LSTM', units = 5{last} }, { type = 'Dense', units = 6 }",
);

/// The first of the largest.
fn likeliest<T: PartialOrd + Copy>(answer: &[T]) -> u16 {
    let largest = answer.iter().fold(answer[0], |a, &b| if b > a { b } else { a });
    answer.iter().position(|&y| y == largest).unwrap() as u16
}

/// What a model writes step by step from `first` on, before `end`.
fn by_hand<N: Number>(
    model: &Model<'_, N>,
    state: &mut State<'_, N>,
    first: u16,
    end: u16,
    most: usize,
) -> (Vec<u16>, Vec<N::Out>) {
    let (mut written, mut answers, mut id) = (Vec::new(), Vec::new(), first);
    loop {
        let answer = model.decoder_step(state, id).unwrap();
        answers.extend_from_slice(answer);
        id = likeliest(answer);
        if id == end || written.len() == most {
            return (written, answers);
        }
        written.push(id);
        if written.len() == most {
            return (written, answers);
        }
    }
}

fn what_is_written<N: Number>(_: &Stack<'_>, model: &Model<'_, N>, xs: &[N::In]) {
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
                let (golden, golden_answers) = by_hand(model, &mut other, 1, end, most);
                let mut out = vec![99; most];
                assert_eq!(model.greedy(&mut state, 1, end, &mut out).unwrap(), golden);
                assert!(out[golden.len()..].iter().all(|&id| id == 99));
                assert_eq!(save(model, &state), save(model, &other));
                // The same, chosen by the caller.
                state.restore(model, &start).unwrap();
                let mut answers = Vec::new();
                let mut next = golden.iter();
                let choose = |answer: &[N::Out]| {
                    answers.extend_from_slice(answer);
                    next.next().copied().filter(|_| answers.len() < golden_answers.len())
                };
                model.generate(&mut state, 1, choose).unwrap();
                assert_eq!(bits(&answers), bits(&golden_answers));
                assert_eq!(save(model, &state), save(model, &other));
            }
        }
    }
}

#[test]
fn greedy_writes_the_likeliest_step_by_step() {
    everywhere!(STEPPING, what_is_written);
    everywhere!(WHOLE, what_is_written);
    everywhere!([ONE_TO_MANY], what_is_written);
}

/// A chain that takes ids is stepped by them; what its decoder does not have, neither `generate` nor its caller gets.
fn ids_are_steps<N: Number>(_: &Stack<'_>, model: &Model<'_, N>, xs: &[N::In]) {
    let mut rams = [ram(model, 0), ram(model, 0)];
    let [mut state, mut other] = rams.each_mut().map(|ram| model.state(ram).unwrap());
    for x in xs {
        let id = (0..6).find(|&id| bits(&[N::of_id(id)]) == bits(&[*x])).unwrap();
        let y = model.decoder_step(&mut state, id).unwrap();
        assert_eq!(bits(y), bits(model.step(&mut other, &[*x]).unwrap()));
    }
    assert_eq!(save(model, &state), save(model, &other));
    let mut answers = 0;
    let error = model.generate(&mut state, 5, |_| {
        answers += 1;
        Some([4, 6][answers - 1])
    });
    assert_eq!((error, answers), (Err(Error::Id { index: 0, input_dim: 6 }), 2));
}

#[test]
fn a_chain_of_ids_is_stepped_by_what_it_wrote() {
    everywhere!([ONE_TO_MANY], ids_are_steps);
}

/// A model of `count` ids that answers with zeros, and with one from these units.
fn of_largest(count: u32, largest: &[usize]) -> AlignedBytes {
    let record = |kind: Kind| Variant::plain(kind).record();
    let embedding = LayerRecord { input_dim: count, ..record(Kind::Embedding) };
    let dense = LayerRecord { units: count, ..record(Kind::Dense) };
    // Panels of eight: biases, then the weights of the one input.
    let mut words = vec![0; count.next_multiple_of(8) as usize * 2];
    largest.iter().for_each(|unit| words[unit / 8 * 16 + unit % 8] = 1f32.to_bits());
    let layers =
        [Layer { record: embedding, words: vec![0; count as usize] }, Layer { record: dense, words }];
    file::<F32>(&layers, 0)
}

#[test]
fn the_likeliest_is_the_lowest_of_equals_and_an_id() {
    for (count, largest, written) in [
        (9, &[][..], 0),
        (9, &[8], 8),
        (9, &[3, 8], 3),
        (65_535, &[65_534], 65_534),
        (65_536, &[65_535], 65_535),
        (65_544, &[65_535, 65_536], 65_535),
        // No id has 17 bits.
        (65_544, &[65_536], 0),
    ] {
        let file = of_largest(count, largest);
        let model = model::<F32>(&file, Backend::best());
        let mut ram = ram(&model, 0);
        let mut out = [7; 2];
        let end = if written == 0 { 1 } else { 0 };
        let found = model.greedy(&mut model.state(&mut ram).unwrap(), 0, end, &mut out).unwrap();
        assert_eq!(found, [written; 2], "{largest:?} of {count}");
    }
}

/// An id takes all of 16 bits.
#[test]
fn an_integer_embedding_has_65_536_ids() {
    let count = 1 << 16;
    let record = LayerRecord { input_dim: count, ..Variant::plain(Kind::Embedding).record() };
    // Rows of a multiplier for one and a weight: their number's low and high half, one after another.
    let words = (0..count).flat_map(|id| [64, if id % 2 == 0 { id >> 1 & 0xff } else { id >> 9 }]).collect();
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
