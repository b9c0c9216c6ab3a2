//! Raspberry Pi Pico 2: an RP2350, a Cortex-M33F with 4 MB of flash beside it and 520 KB of RAM.
#![no_std]
#![no_main]

use defmt_rtt as _;
use panic_probe as _;

/// The image definition of a program in flash for the Arm cores in their secure state: a block of one item
/// with a link to itself, as in section 5.9.5.1 of the chip's data sheet.
#[expect(unsafe_code, reason = "the linker script places it")]
#[unsafe(link_section = ".start_block")]
#[used]
static IMAGE_DEFINITION: [u32; 5] = [0xffff_ded3, 0x1021_0142, 0x0000_01ff, 0x0000_0000, 0xab12_3579];

embedded_rnn_firmware::entry!(main);

fn main() -> ! {
    embedded_rnn_examples::run()
}
