//! Raspberry Pi Pico: an RP2040, a Cortex-M0+ with 2 MB of flash beside it and 264 KB of RAM.
#![no_std]
#![no_main]

use defmt_rtt as _;
use panic_probe as _;

/// The second stage of the boot loader, for the flash of the Pico.
#[expect(unsafe_code, reason = "the linker script places it")]
#[unsafe(link_section = ".boot2")]
#[used]
static BOOT2: [u8; 256] = rp2040_boot2::BOOT_LOADER_W25Q080;

embedded_rnn_firmware::entry!(main);

fn main() -> ! {
    embedded_rnn_examples::run()
}
