//! The program of the real boards on an emulated one: its log goes through semihosting.
#![no_std]
#![no_main]

use defmt_semihosting as _;

embedded_rnn_firmware::entry!(main);

fn main() -> ! {
    embedded_rnn_examples::run()
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    embedded_rnn_examples::fail(info)
}
