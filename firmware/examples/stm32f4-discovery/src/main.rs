//! STM32F4 Discovery, an STM32F407VG: a Cortex-M4F with 1 MB of flash and 128 KB of RAM.
#![no_std]
#![no_main]

use defmt_rtt as _;
use panic_probe as _;

embedded_rnn_firmware::entry!(main);

fn main() -> ! {
    embedded_rnn_examples::run()
}
