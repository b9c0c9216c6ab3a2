//! An image that calls every public function of the runtime, of each dtype and with the code of all layers.
//! It never runs: `xtask/boards/src/panics.rs` searches it for panics.
//!
//! All arguments come out of `black_box`, so that the compiler knows nothing about them.
#![no_std]
#![no_main]

use core::hint::black_box;

use embedded_rnn::format::header::{Header, LayerInfo, ModelInfo};
use embedded_rnn::format::{Activation, LayerRecord, MergeMode, Preamble, checksum, min_cell_frac};
use embedded_rnn::packing::{needs, seal};
use embedded_rnn::{
    Backend, DType, Error, F16, F32, I8, Kind, Model, Number, QuantIo, Ram, Session, State, argmax, dtype,
    features, input_size, is_model, output_scale, output_size, ram_needed, ram_needed_for, run_output_len,
    saved_len,
};

embedded_rnn_firmware::entry!(main);

fn main() -> ! {
    let bytes: &[u8] = black_box(&[]);
    facts(bytes);
    codes(black_box(0));
    black_box(header(bytes));
    seal(black_box(&mut []));
    black_box(packing::<F32>());
    black_box(packing::<F16>());
    black_box(packing::<I8>());
    black_box(model::<F32>(bytes).is_ok());
    black_box(model::<F16>(bytes).is_ok());
    black_box(model::<I8>(bytes).is_ok());
    // It is the only dtype whose inputs are no real values.
    black_box(quantize_input(bytes).is_ok());
    black_box(f32_session::call().is_ok());
    black_box(f16_session::call().is_ok());
    black_box(i8_session::call().is_ok());
    loop {
        core::hint::spin_loop()
    }
}

/// Reads a file's facts.
fn facts(bytes: &[u8]) {
    let steps = black_box(1);
    black_box((is_model(bytes), dtype(bytes), features(bytes), checksum(bytes)));
    black_box((input_size(bytes), output_size(bytes), output_scale(bytes)));
    black_box((ram_needed(bytes), ram_needed_for(bytes, steps), saved_len(bytes)));
    black_box(run_output_len(bytes, steps));
}

/// Reads the codes of the format.
fn codes(code: u8) {
    black_box(DType::from_code(code).map(DType::name));
    black_box(MergeMode::from_code(code).map(|mode| MergeMode::merged(mode, black_box(1))));
    black_box(Activation::from_code(code).map(Activation::fold));
    black_box((Activation::is_extended(code), Activation::has_parameter(code), min_cell_frac(code)));
    black_box(
        Kind::from_code(code, black_box(0))
            .map(|kind| (Kind::is_recurrent(kind), Kind::is_cell(kind), Kind::name(kind))),
    );
    black_box(DType::from_code(code).map(Preamble::new));
}

/// Reads all that a header has.
fn header(bytes: &[u8]) -> Option<()> {
    let header = Header::new(bytes)?;
    black_box(ModelInfo::fields(&Header::info(&header)));
    for layer in Header::layers(&header) {
        black_box(LayerInfo::fields(&layer));
    }
    for label in Header::labels(&header) {
        black_box(label);
    }
    Some(())
}

/// Computes the needs of some layers.
fn packing<N: Number>() -> Option<usize> {
    let layers: &[LayerRecord] = black_box(&[]);
    for layer in layers {
        black_box((LayerRecord::return_sequences(layer), LayerRecord::go_backwards(layer)));
        black_box((LayerRecord::is_direction(layer), LayerRecord::masks(layer)));
        black_box((LayerRecord::has_initial_state(layer), LayerRecord::has_separate_scales(layer)));
        black_box((LayerRecord::input_size(layer), LayerRecord::units(layer)));
    }
    needs::<N>(layers, black_box(0)).map(|needs| needs.ram_needed)
}

/// Calls the functions of a model and of its state.
fn model<N: QuantIo>(bytes: &[u8]) -> Result<(), Error> {
    let model: Model<N> = Model::new(bytes)?;
    let model = Model::with_backend(model, Backend::best());
    let backend = Model::backend(&model);
    black_box((Backend::name(backend), Backend::is_fused(backend)));
    black_box((Model::input_size(&model), Model::output_size(&model), Model::output_scale(&model)));
    black_box((Model::returns_sequences(&model), Model::has_decoder(&model)));
    black_box((Model::needs_whole_sequences(&model), Model::run_output_len(&model, black_box(1))));
    black_box((Model::preamble(&model), Model::layers(&model), Model::weights(&model), Model::bytes(&model)));
    black_box((Model::label(&model, black_box(0)), Model::saved_len(&model)));
    black_box(Model::header(&model));

    let mut ram: Ram<64> = Ram::new();
    let mut state = Model::state(&model, black_box(&mut ram))?;
    black_box(Model::self_test(&model, &mut state)?);
    run(&model, &mut state)?;
    generate(&model, &mut state)?;
    states(&model, &mut state)
}

/// Runs time steps.
fn run<N: QuantIo>(model: &Model<N>, state: &mut State<N>) -> Result<(), Error> {
    let (x, real_x): (&[N::In], &[f32]) = black_box((&[], &[]));
    let (out, real): (&mut [N::Out], &mut [f32]) = black_box((&mut [], &mut []));
    let scratch: &mut [N::In] = black_box(&mut []);
    black_box(argmax(Model::step(model, state, x)?));
    Model::run(model, state, x, out)?;
    Model::dequantize_output(model, out, real)?;
    Model::run_real(model, state, real_x, scratch, real)
}

/// Generates ids.
fn generate<N: QuantIo>(model: &Model<N>, state: &mut State<N>) -> Result<(), Error> {
    let ids: &mut [u16] = black_box(&mut []);
    black_box(Model::decoder_step(model, state, black_box(0))?);
    black_box(Model::greedy(model, state, black_box(0), black_box(0), ids)?);
    Model::generate(model, state, black_box(0), |y| black_box((y, None)).1)
}

/// Saves, restores, reads and sets states.
fn states<N: QuantIo>(model: &Model<N>, state: &mut State<N>) -> Result<(), Error> {
    let (h, c): (&mut [f32], &mut [f32]) = black_box((&mut [], &mut []));
    Model::layer_state(model, state, black_box(0), h, c)?;
    Model::set_layer_state(model, state, black_box(0), h, c)?;
    let buffer: &mut [u8] = black_box(&mut []);
    let saved = State::save(state, model, buffer)?;
    State::restore(state, model, saved)?;
    State::reset(state);
    Ok(())
}

/// Quantizes a time step.
fn quantize_input(bytes: &[u8]) -> Result<(), Error> {
    let model: Model<I8> = Model::new(bytes)?;
    let (x, out): (&[f32], &mut [i16]) = black_box((&[], &mut []));
    Model::quantize_input(&model, x, out)
}

/// Makes a module with a function that calls the functions of a session with a file.
macro_rules! session {
    ($name:ident, $path:literal) => {
        mod $name {
            use super::*;

            embedded_rnn::model!(net = $path);

            pub fn call() -> Result<(), Error> {
                let mut ram = net::Ram::new();
                let mut session: net::Session = Session::new(black_box(&mut ram))?;
                let (x, real) = black_box(([Default::default(); net::INPUT], [0.0; net::INPUT]));
                black_box(Session::self_test(&mut session)?);
                black_box(Session::step(&mut session, &x));
                black_box(Session::step_real(&mut session, &real));
                black_box(Session::step_id(&mut session, black_box(0))?);
                black_box(Session::quantize(&session, &real));
                black_box(net::Session::dequantize(black_box(&[Default::default(); net::OUTPUT])));
                let (xs, out): (&[net::Input], &mut [net::Output]) = black_box((&[], &mut []));
                Session::run(&mut session, xs, out)?;
                let ids: &mut [u16] = black_box(&mut []);
                black_box(Session::greedy(&mut session, black_box(0), black_box(0), ids)?);
                Session::generate(&mut session, black_box(0), |y| black_box((y, None)).1)?;
                let buffer: &mut [u8] = black_box(&mut []);
                let saved = Session::save(&session, buffer)?;
                Session::restore(&mut session, saved)?;
                black_box(Model::input_size(Session::model(&session)));
                black_box(Session::parts_mut(&mut session).0.output_size());
                Session::reset(&mut session);
                Ok(())
            }
        }
    };
}
session!(f32_session, "../../../runtime/tests/data/tiny.ernn");
session!(f16_session, "../../../runtime/tests/data/tiny.f16.ernn");
session!(i8_session, "../../../runtime/tests/data/tiny.i8.ernn");

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {
        core::hint::spin_loop()
    }
}
