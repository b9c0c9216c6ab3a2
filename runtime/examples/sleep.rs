//! A state over a deep sleep: saved to memory that survives, restored afterwards, and the sequence goes on
//! with the same bits.
//!
//! `cargo run -p embedded-rnn --example sleep`

embedded_rnn::model!(net = "../tests/data/tiny.i8.ernn");

fn main() -> Result<(), embedded_rnn::Error> {
    let inputs = [[0.5, -0.25], [1.0, 0.0], [-0.5, 0.75], [0.25, 0.25]];

    // The whole sequence without a sleep.
    let mut ram = net::Ram::new();
    let mut session = net::Session::new(&mut ram)?;
    let expected = inputs.map(|x| session.step_real(&x));

    // Memory that survives: on a board a backup RAM or a page of flash.
    let mut backup = [0; net::SAVED];
    let saved = before_sleep(&inputs[..2], &mut backup)?;
    println!("{} bytes saved of {} bytes of RAM", saved.len(), net::RAM);
    let outputs = after_sleep(&inputs[2..], saved)?;
    assert_eq!(outputs, expected[2..]);
    println!("after the sleep: {outputs:.3?}, as without one");
    Ok(())
}

/// Runs some time steps and saves the state.
fn before_sleep<'b>(inputs: &[[f32; 2]], backup: &'b mut [u8]) -> Result<&'b [u8], embedded_rnn::Error> {
    let mut ram = net::Ram::new();
    let mut session = net::Session::new(&mut ram)?;
    for x in inputs {
        session.step_real(x);
    }
    session.save(backup)
}

/// Boots again: checks model and machine, restores the state and runs the others.
fn after_sleep(inputs: &[[f32; 2]], saved: &[u8]) -> Result<Vec<[f32; net::OUTPUT]>, embedded_rnn::Error> {
    let mut ram = net::Ram::new();
    let mut session = net::Session::new(&mut ram)?;
    session.self_test()?;
    session.restore(saved)?;
    Ok(inputs.iter().map(|x| session.step_real(x)).collect())
}
