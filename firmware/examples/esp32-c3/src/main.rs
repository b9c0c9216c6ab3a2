//! ESP32-C3: a RISC-V core without FPU, with 4 MB of flash beside it and 400 KB of RAM.
#![no_std]
#![no_main]

use defmt_rtt as _;

/// The description of the program that the boot loader reads, `esp_app_desc_t` of ESP-IDF: 256 bytes with a
/// mark, the oldest and the newest chip (any), and the logarithm of the page size of its flash. The texts are
/// empty.
#[expect(unsafe_code, reason = "the linker script places it, and tools find it by its name")]
#[unsafe(export_name = "esp_app_desc")]
#[unsafe(link_section = ".flash.appdesc")]
#[used]
static DESCRIPTION: [u32; 64] = {
    let mut words = [0; 64];
    words[0] = 0xabcd_5432;
    words[44] = 0xffff_0000;
    words[45] = 16;
    words
};

#[esp_hal::main]
fn main() -> ! {
    let _peripherals = esp_hal::init(esp_hal::Config::default());
    embedded_rnn_examples::run()
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    embedded_rnn_examples::fail(info)
}
