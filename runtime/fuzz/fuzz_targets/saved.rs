//! Saved states: arbitrary bytes, and states of arbitrary words that are restored and continued.
#![no_main]

use arbitrary::Arbitrary;
use crc::{CRC_32_ISO_HDLC, Crc};
use embedded_rnn::{F16, F32, I8, Model};
use embedded_rnn_fuzz::exercise::{STEPS, Words, compare};
use embedded_rnn_fuzz::number::FuzzedNumber;
use libfuzzer_sys::fuzz_target;

/// The models of the runtime's tests.
const MODELS: [&[u8]; 6] = [
    include_bytes!("../../tests/data/bidirectional.i8.ernn"),
    include_bytes!("../../tests/data/decoder.i8.ernn"),
    include_bytes!("../../tests/data/letters.i8.ernn"),
    include_bytes!("../../tests/data/tiny.i8.ernn"),
    include_bytes!("../../tests/data/tiny.f16.ernn"),
    include_bytes!("../../tests/data/tiny.ernn"),
];

#[derive(Arbitrary, Debug)]
struct Input {
    model: u8,
    inputs: [[u8; 4]; 8],
    words: Vec<u32>,
    /// Bytes that are added to the saved state.
    garbage: Vec<(u16, u8)>,
}

fuzz_target!(|input: Input| {
    let file = Words::new(MODELS[usize::from(input.model) % MODELS.len()]);
    restored::<F32>(file.bytes(), &input);
    restored::<F16>(file.bytes(), &input);
    restored::<I8>(file.bytes(), &input);
});

/// Restores the state, if the file is of the dtype, on every backend.
fn restored<N: FuzzedNumber>(file: &[u8], input: &Input) {
    let Ok(model) = Model::<N>::new(file) else { return };
    let preamble = model.preamble();
    let ram = (preamble.ram_needed + preamble.ram_per_step * STEPS as u32) as usize;
    let ids = model.layers()[0].input_dim;
    let values = input.inputs.iter().cycle().take(STEPS * model.input_size());
    let value = |&four: &[u8; 4]| {
        if ids > 0 { N::id_input((u32::from(four[0]) % ids) as u16) } else { N::input(four) }
    };
    let xs: Vec<N::In> = values.map(value).collect();
    compare(&model, ram, &xs, &saved(&model, input));
}

/// Returns a state of the words, as many as the model has, in the form of a saved one.
fn saved<N: FuzzedNumber>(model: &Model<'_, N>, input: &Input) -> Vec<u8> {
    let mut memory = Words::filled(model.preamble().ram_needed as usize);
    let state = model.state(memory.bytes_mut()).expect("enough memory");
    let mut buffer = vec![0; model.saved_len()];
    let mut saved = state.save(model, &mut buffer).expect("enough room").to_vec();
    saved.truncate(saved.len() - 4);
    let words = input.words.iter().flat_map(|word| word.to_le_bytes());
    // The words of a new state are zero. They are at the end, after their number, which is not.
    let at = saved.len() - saved.iter().rev().take_while(|&&byte| byte == 0).count();
    saved[at..].iter_mut().zip(words).for_each(|(byte, word)| *byte = word);
    for &(at, byte) in &input.garbage {
        let at = usize::from(at) % saved.len();
        saved[at] ^= byte;
    }
    let crc = Crc::<u32>::new(&CRC_32_ISO_HDLC).checksum(&saved);
    saved.extend(crc.to_le_bytes());
    saved
}
