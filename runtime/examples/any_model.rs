//! A model that the program meets at run time: any dtype, real values in and out.
//!
//! `cargo run -p embedded-rnn --features std --example any_model [MODEL.ernn]`

use std::error::Error;

use embedded_rnn::{AnyModel, argmax};

fn main() -> Result<(), Box<dyn Error>> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny.i8.ernn");
    let path = std::env::args().nth(1).unwrap_or_else(|| default.to_owned());
    let model = AnyModel::read(&path)?;
    model.self_test()?;
    println!("{path}: {:?}, {} features, {} outputs", model.dtype(), model.input_size(), model.output_size());

    let mut state = model.state()?;
    let sequence = vec![0.0; 3 * model.input_size()];
    let outputs = model.run(&mut state, &sequence)?;
    for y in outputs.chunks(model.output_size()) {
        let k = argmax(y);
        println!("{} ({:.3})", model.label(k).unwrap_or("no label"), y[k]);
    }
    Ok(())
}
