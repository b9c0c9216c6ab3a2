//! A model as a type computes what the bytes of its file compute, and knows their facts while the program is
//! built.

use embedded_rnn::{Error, F32, I8, Model, Ram, ram_needed};

embedded_rnn::model!(
    /// A cell of f32.
    pub float = "data/tiny.ernn"
);
embedded_rnn::model!(int = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny.i8.ernn"));

const _: () = assert!(float::RAM <= 1024 && int::RAM < float::RAM);

#[test]
fn the_constants_are_those_of_the_file() {
    let model = Model::<F32>::new(float::BYTES).unwrap();
    assert_eq!((float::INPUT, float::OUTPUT), (model.input_size(), model.output_size()));
    assert_eq!((float::RAM, float::SAVED), (ram_needed(float::BYTES), model.saved_len()));
    assert_eq!(int::SAVED, Model::<I8>::new(int::BYTES).unwrap().saved_len());
    assert_eq!(float::LABELS, [""; 0]);
}

#[test]
fn a_session_steps_as_the_model_does() {
    let model = Model::<I8>::new(int::BYTES).unwrap();
    let mut memory = Ram::<{ int::RAM }>::new();
    let mut state = model.state(&mut memory).unwrap();
    let mut ram = int::Ram::new();
    let mut session = int::Session::new(&mut ram).unwrap();
    session.self_test().unwrap();
    for k in 0..20 {
        let x = [k * 1234, -k * 987];
        assert_eq!(session.step(&x), model.step(&mut state, &x).unwrap());
    }
}

#[test]
fn real_values_go_in_and_out_of_any_dtype() {
    let (mut float_ram, mut int_ram) = (float::Ram::new(), int::Ram::new());
    let mut float = float::Session::new(&mut float_ram).unwrap();
    let mut int = int::Session::new(&mut int_ram).unwrap();
    for x in [[0.5, -0.25], [-1.0, 0.75], [0.0, 0.1]] {
        let (float, int) = (float.step_real(&x), int.step_real(&x));
        for (float, int) in float.iter().zip(int) {
            assert!((float - int).abs() < 0.02, "{float} {int}");
        }
    }
}

#[test]
fn a_session_goes_on_from_a_saved_state() {
    let mut ram = float::Ram::new();
    let mut session = float::Session::new(&mut ram).unwrap();
    session.step(&[0.5, 0.5]);
    let mut buffer = [0; float::SAVED];
    let saved = session.save(&mut buffer).unwrap();
    let next = *session.step(&[0.25, -1.0]);
    session.reset();
    assert_ne!(*session.step(&[0.25, -1.0]), next);
    session.restore(saved).unwrap();
    assert_eq!(*session.step(&[0.25, -1.0]), next);
}

#[test]
fn a_run_is_its_steps() {
    let mut ram = float::Ram::new();
    let mut session = float::Session::new(&mut ram).unwrap();
    let xs = [[0.5, -0.25], [1.0, 0.0], [-0.5, 0.5]];
    let steps = xs.map(|x| *session.step(&x));
    session.reset();
    let mut run = [[0.0; float::OUTPUT]; 3];
    let out = if session.model().returns_sequences() { &mut run[..] } else { &mut run[..1] };
    session.run(&xs, out).unwrap();
    assert_eq!(out.last(), steps.last());
    assert_eq!(session.run(&xs, &mut []), Err(Error::OutputLength { expected: out.len() * 3, found: 0 }));
}
