//! Several streams through one model: the weights stand once, each stream has a state of its own.
//!
//! `cargo run -p embedded-rnn --example streaming`

embedded_rnn::model!(net = "../tests/data/tiny.i8.ernn");

fn main() -> Result<(), embedded_rnn::Error> {
    let model = net::Model::new(net::BYTES)?;
    let mut rams = [const { net::Ram::new() }; 3];
    let mut states = Vec::new();
    for ram in &mut rams {
        states.push(model.state(ram)?);
    }
    println!("{} streams, {} bytes of RAM each, {} bytes of model", states.len(), net::RAM, net::BYTES.len());

    for t in 0..5 {
        for (k, state) in states.iter_mut().enumerate() {
            // Each stream has a sine of another frequency.
            let phase = t as f32 * (k + 1) as f32 * 0.4;
            let mut x = [0; net::INPUT];
            model.quantize_input(&[phase.sin(), phase.cos()], &mut x)?;
            let y = model.step(state, &x)?;
            let mut real = [0.0; net::OUTPUT];
            model.dequantize_output(y, &mut real)?;
            println!("step {t}, stream {k}: {real:.3?}");
        }
    }
    Ok(())
}
