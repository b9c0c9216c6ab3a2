//! nRF52840-DK: a Cortex-M4F with 1 MB of flash and 256 KB of RAM.
#![no_std]
#![no_main]

use defmt_rtt as _;
use panic_probe as _;

embedded_rnn_firmware::entry!(main);

fn main() -> ! {
    embedded_rnn_examples::run()
}
