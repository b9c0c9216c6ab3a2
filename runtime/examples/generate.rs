//! Autoregressive generation: the model's output at one step chooses its input of the next, here a letter.
//!
//! `cargo run -p embedded-rnn --example generate`

use embedded_rnn::argmax;

embedded_rnn::model!(letters = "../tests/data/letters.i8.ernn");
embedded_rnn::model!(translate = "../tests/data/decoder.i8.ernn");

fn main() -> Result<(), embedded_rnn::Error> {
    let mut ram = letters::Ram::new();
    let mut session = letters::Session::new(&mut ram)?;

    // The likeliest letters after "a", until the one that ends a word or for eight letters.
    let mut ids = [0; 8];
    let word = session.greedy(1, 0, &mut ids)?;
    println!("likeliest: {}", spelled(word));

    // The same with a choice of one's own: never the same letter twice in a row.
    session.reset();
    let (mut last, mut word) = (1, Vec::new());
    session.generate(1, |probabilities| {
        let mut others = [0; letters::OUTPUT];
        others.copy_from_slice(probabilities);
        others[usize::from(last)] = i32::MIN;
        last = argmax(&others) as u16;
        word.push(last);
        (last != 0 && word.len() < 8).then_some(last)
    })?;
    println!("without repetition: {}", spelled(&word));

    // An encoder processes a sequence, and the decoder generates another from its state.
    let mut ram = translate::Ram::new();
    let mut session = translate::Session::new(&mut ram)?;
    session.run(&[[3], [1], [4]], &mut [])?;
    println!("decoded ids: {:?}", session.greedy(0, 0, &mut ids)?);
    Ok(())
}

fn spelled(ids: &[u16]) -> String {
    ids.iter().map(|&id| letters::LABELS[usize::from(id)]).collect()
}
