//! An image that only starts up: its size is subtracted from that of `size`.
#![no_std]
#![no_main]

embedded_rnn_firmware::entry!(main);

fn main() -> ! {
    loop {
        core::hint::spin_loop()
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {
        core::hint::spin_loop()
    }
}
