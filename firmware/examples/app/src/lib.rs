//! The program of all real boards: replays the golden trace, runs one sequence of inputs that is linked in,
//! prints every output, cycles per step and free stack, and compares the outputs with those of the PC.
//!
//! `cargo xtask flash` passes the model and the files of inputs and outputs in environment variables.
#![no_std]

use core::mem::size_of;
use core::panic::PanicInfo;

use defmt::{Display2Format, error, info};
use embedded_rnn::{Error, Number, Ram};
use embedded_rnn_firmware::board::{self, Counter};
use embedded_rnn_firmware::network::{RAM, net};
use embedded_rnn_firmware::stack;
use semihosting::process;

type Input = <net::Number as Number>::In;
type Output = <net::Number as Number>::Out;

/// Time steps, one after another, as their numbers lie in memory.
static INPUTS: &[u8] = include_bytes!(env!("BOARD_INPUTS"));
/// The PC's outputs for them.
static OUTPUTS: &[u8] = include_bytes!(env!("BOARD_OUTPUTS"));

/// `true` if the outputs must be those of the PC.
const CHECK: bool = matches!(env!("BOARD_CHECK").as_bytes(), b"1");

/// The reason why a run failed.
#[derive(defmt::Format)]
enum Failure {
    Model(Error),
    Counter,
    Stack,
    Differs { step: usize, output: usize },
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Model(error)
    }
}

/// Runs the program and ends it with a status for the debugger.
pub fn run() -> ! {
    match steps() {
        Ok(count) if CHECK => info!("{} steps run, all outputs equal the PC's", count),
        Ok(count) => info!("{} steps run", count),
        Err(failure) => {
            error!("{}", failure);
            process::exit(1)
        }
    }
    process::exit(0)
}

/// Prints a panic and ends the program, for boards without `panic-probe`.
pub fn fail(info: &PanicInfo) -> ! {
    error!("{}", Display2Format(info));
    process::exit(101)
}

/// Runs all time steps and returns their number.
fn steps() -> Result<usize, Failure> {
    let model = net::Model::new(net::BYTES)?;
    let mut ram = Ram::<RAM>::new();
    let mut state = model.state(&mut ram)?;
    model.self_test(&mut state)?;
    info!("self-test passed, {} bytes of RAM", RAM);

    let mut counter = Counter::take().ok_or(Failure::Counter)?;
    let (overhead, ()) = counter.count(|| ());
    let mut cycles = 0;
    let inputs = INPUTS.chunks_exact(net::INPUT * size_of::<Input>());
    let count = inputs.len();
    for (number, (bytes, expected)) in
        inputs.zip(OUTPUTS.chunks_exact(net::OUTPUT * size_of::<Output>())).enumerate()
    {
        let mut x = [Input::default(); net::INPUT];
        bytemuck::cast_slice_mut(&mut x).copy_from_slice(bytes);
        // Painting the stack is far longer than a step, so the first step is not counted.
        let y = if number == 0 {
            let top = board::stack_pointer();
            let (used, y) = stack::high_water(|| model.step(&mut state, &x));
            let used = used.ok_or(Failure::Stack)?;
            info!("stack: {} bytes per step, {} free", used, top - used - board::stack_bottom());
            y?
        } else {
            let (ticks, y) = counter.count(|| model.step(&mut state, &x));
            cycles += ticks.ok_or(Failure::Counter)?.saturating_sub(overhead.unwrap_or_default());
            y?
        };
        info!("step {}: {}", number, y);
        let same = |(found, expected): (&u8, &u8)| found == expected;
        let mut pairs = bytemuck::cast_slice(y).iter().zip(expected);
        if CHECK && let Some(at) = pairs.position(|pair| !same(pair)) {
            return Err(Failure::Differs { step: number, output: at / size_of::<Output>() });
        }
    }
    info!("{} cycles per step", cycles / (count.max(2) as u64 - 1));
    Ok(count)
}
