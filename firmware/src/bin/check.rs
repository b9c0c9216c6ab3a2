//! The check image: replays the model's golden trace, then runs the test vectors that the PC has written to a
//! file and writes every output of every step to another: for a model that processes whole sequences those of
//! each sequence, for one with a decoder the ids that it generates. The cost of a step goes to a third file.
//! The exit status is 0 if all of it worked.
//!
//! Files, little-endian, in the emulator's working folder: `inputs.bin` is the number of sequences (`u32`),
//! then for each the number of steps (`u32`) and their inputs; `outputs.bin` is the outputs alone, a `u32`
//! for an id; `figures.bin` is [`Figures`] as it lies in memory.
#![no_std]
#![no_main]

use core::mem::size_of_val;

use bytemuck::{Pod, Zeroable};
use defmt_semihosting as _;
use embedded_rnn::{Error, Ram};
use embedded_rnn_firmware::board::{self, Counter};
use embedded_rnn_firmware::network::net::{self, Number};
use embedded_rnn_firmware::network::{OUTPUT_LEN, RAM, STEPS};
use embedded_rnn_firmware::stack;
use semihosting::fs::File;
use semihosting::io::{self, Read, Write};
use semihosting::process;

type Input = <Number as embedded_rnn::Number>::In;
type Output = <Number as embedded_rnn::Number>::Out;

/// The most ids that a decoder generates; `xtask/src/exam.rs` has the same.
const MOST_IDS: usize = 24;

/// The cost of a step, which `xtask/src/image.rs` reads.
#[derive(Clone, Copy, Default, Pod, Zeroable)]
#[repr(C)]
struct Figures {
    /// Sum over the counted steps, without the reads of the counter.
    ticks: u64,
    /// Steps counted.
    counted: u32,
    /// Bytes of stack of the deepest step.
    stack: u32,
    /// Bytes of the model's memory, of `Model` and of `State`.
    ram: u32,
    /// Steps run.
    steps: u32,
    /// Ticks of a thousand instructions, by which the PC checks its idea of the counter.
    thousand: u32,
    /// Zero: the size is a multiple of 8 without gaps.
    reserved: u32,
}

#[derive(defmt::Format)]
enum Failure {
    Model(Error),
    Host(&'static str),
    CounterWrapped,
    StackOverflow,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Model(error)
    }
}

#[board::entry]
fn main() -> ! {
    match run() {
        Ok(figures) => defmt::info!("self-test passed, {} steps run", figures.steps),
        Err(failure) => {
            defmt::error!("{}", failure);
            process::exit(1)
        }
    }
    process::exit(0)
}

fn run() -> Result<Figures, Failure> {
    let model = net::Model::new(net::BYTES)?;
    let mut ram = Ram::<RAM>::new();
    let mut state = model.state(&mut ram)?;
    model.self_test(&mut state)?;

    let mut meter = Meter::new()?;
    meter.figures.ram = (RAM + size_of_val(&model) + size_of_val(&state)) as u32;
    let mut inputs = host(File::open(c"inputs.bin"), "inputs.bin")?;
    let mut outputs = host(File::create(c"outputs.bin"), "outputs.bin")?;
    for number in 0..word(&mut inputs)? {
        state.reset();
        let steps = word(&mut inputs)?;
        if STEPS != 0 {
            meter.at_start = number % 2 == 0;
            let mut xs = [Input::default(); net::INPUT * STEPS];
            let xs = xs.get_mut(..net::INPUT * steps as usize).ok_or(Failure::Host("inputs.bin"))?;
            host(inputs.read_exact(bytemuck::cast_slice_mut(xs)), "inputs.bin")?;
            let mut y = [Output::default(); OUTPUT_LEN];
            let y = y.get_mut(..model.run_output_len(steps as usize)).ok_or(Failure::Host("outputs"))?;
            meter.measure(|_| steps, || run_whole(&model, &mut state, xs, y))??;
            host(outputs.write_all(bytemuck::cast_slice(y)), "outputs.bin")?;
            if model.has_decoder() {
                write_ids(&model, &mut state, &mut meter, &mut outputs)?;
            }
            continue;
        }
        meter.at_start = true;
        for _ in 0..steps {
            let mut x = [Input::default(); net::INPUT];
            host(inputs.read_exact(bytemuck::cast_slice_mut(&mut x)), "inputs.bin")?;
            let y = meter.measure(|_| 1, || step(&model, &mut state, &x))??;
            host(outputs.write_all(bytemuck::cast_slice(y)), "outputs.bin")?;
        }
    }
    let mut file = host(File::create(c"figures.bin"), "figures.bin")?;
    host(file.write_all(bytemuck::bytes_of(&meter.figures)), "figures.bin")?;
    Ok(meter.figures)
}

/// Runs one step; not inlined, so that the instructions counted are those that a user's loop executes.
#[inline(never)]
fn step<'s>(model: &net::Model, state: &'s mut net::State<'_>, x: &[Input]) -> Result<&'s [Output], Error> {
    model.step(state, x)
}

/// Runs a sequence, likewise not inlined.
#[inline(never)]
fn run_whole(
    model: &net::Model,
    state: &mut net::State<'_>,
    xs: &[Input],
    y: &mut [Output],
) -> Result<(), Error> {
    model.run(state, xs, y)
}

/// Writes the number of ids that the decoder generates, and the ids. Each is a step, and so is the end.
fn write_ids(
    model: &net::Model,
    state: &mut net::State<'_>,
    meter: &mut Meter,
    outputs: &mut File,
) -> Result<(), Failure> {
    let mut ids = [0; MOST_IDS];
    let steps = |ids: &Result<&[u16], Error>| ids.map_or(0, |ids| (ids.len() + 1).min(MOST_IDS) as u32);
    let ids = meter.measure(steps, || model.greedy(state, 0, 0, &mut ids))??;
    let words = core::iter::once(ids.len() as u32).chain(ids.iter().map(|&id| u32::from(id)));
    for word in words {
        host(outputs.write_all(&word.to_le_bytes()), "outputs.bin")?;
    }
    Ok(())
}

/// Measures the stack at the first step of each sequence and counts the others, or of whole sequences every
/// other one: painting the stack takes longer than a step, and a counted step should find nothing but its own
/// work.
struct Meter {
    counter: Counter,
    /// Ticks of an empty measurement.
    overhead: u64,
    at_start: bool,
    figures: Figures,
}

impl Meter {
    fn new() -> Result<Self, Failure> {
        let mut counter = Counter::take().ok_or(Failure::Host("counter"))?;
        let (ticks, ()) = counter.count(|| ());
        let overhead = ticks.ok_or(Failure::CounterWrapped)?;
        let (ticks, ()) = counter.count(board::thousand_nops);
        let thousand = (ticks.ok_or(Failure::CounterWrapped)? - overhead) as u32;
        Ok(Self { counter, overhead, at_start: true, figures: Figures { thousand, ..Figures::default() } })
    }

    #[inline(always)]
    fn measure<R>(&mut self, steps: impl Fn(&R) -> u32, work: impl FnOnce() -> R) -> Result<R, Failure> {
        if core::mem::take(&mut self.at_start) {
            let (bytes, result) = stack::high_water(work);
            self.figures.steps += steps(&result);
            let bytes = bytes.ok_or(Failure::StackOverflow)? as u32;
            self.figures.stack = self.figures.stack.max(bytes);
            return Ok(result);
        }
        let (ticks, result) = self.counter.count(work);
        self.figures.ticks += ticks.ok_or(Failure::CounterWrapped)?.saturating_sub(self.overhead);
        let steps = steps(&result);
        self.figures.steps += steps;
        self.figures.counted += steps;
        Ok(result)
    }
}

fn word(file: &mut File) -> Result<u32, Failure> {
    let mut bytes = [0; 4];
    host(file.read_exact(&mut bytes), "inputs.bin")?;
    Ok(u32::from_le_bytes(bytes))
}

fn host<T>(result: io::Result<T>, what: &'static str) -> Result<T, Failure> {
    result.map_err(|_| Failure::Host(what))
}

embedded_rnn_firmware::on_fault!(fault);

fn fault(address: usize) -> ! {
    defmt::error!("fault at {:#010x}", address);
    process::exit(2)
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    defmt::error!("{}", defmt::Display2Format(info));
    process::exit(101)
}
