//! The smallest image with a model, which it runs forever. Its size minus that of `baseline` is the size that
//! a network adds to a firmware.
#![no_std]
#![no_main]

use core::hint::black_box;

use embedded_rnn::{Error, Ram};
use embedded_rnn_firmware::network::{OUTPUT_LEN, RAM, STEPS, net};

embedded_rnn_firmware::entry!(main);

fn main() -> ! {
    black_box(run().is_ok());
    loop {
        core::hint::spin_loop()
    }
}

fn run() -> Result<(), Error> {
    let model = net::Model::new(net::BYTES)?;
    let mut ram = Ram::<RAM>::new();
    let mut state = model.state(&mut ram)?;
    loop {
        // Hides from the optimizer that the input is constant and the output unused.
        let x = black_box([Default::default(); net::INPUT]);
        if STEPS == 0 {
            black_box(model.step(&mut state, &x)?);
            continue;
        }
        let mut y = [Default::default(); OUTPUT_LEN];
        let y = y.get_mut(..model.run_output_len(1)).unwrap_or_default();
        model.run(&mut state, &x, y)?;
        black_box(y);
        if model.has_decoder() {
            black_box(model.greedy(&mut state, 0, 0, &mut black_box([0; 4]))?);
        }
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {
        core::hint::spin_loop()
    }
}
