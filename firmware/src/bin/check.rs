//! The check image: replays the golden trace of the model, runs the test vectors that the PC has written, and
//! writes every output. The exit status is 0 if all of it succeeded.
//!
//! The files are in the working folder of the emulator, little-endian. The conformance run in
//! `xtask/boards/src/conformance.rs` writes the inputs and compares the outputs.
//!
//! | file | content |
//! |---|---|
//! | `inputs.bin` | number of sequences (`u32`); per sequence the number of steps (`u32`) and their inputs |
//! | `outputs.bin` | outputs of every call; with a decoder, then the number of its ids and the ids (`u32`) |
//! | `figures.bin` | [`Figures`] as it lies in memory |
#![no_std]
#![no_main]

use core::mem::size_of_val;

use bytemuck::{Pod, Zeroable};
use defmt_semihosting as _;
use embedded_rnn::{Error, Ram};
use embedded_rnn_firmware::board::{self, Counter};
use embedded_rnn_firmware::network::net::{self, Number};
use embedded_rnn_firmware::network::{MAX_IDS, OUTPUT_LEN, RAM, STEPS};
use embedded_rnn_firmware::stack;
use semihosting::fs::File;
use semihosting::io::{self, Read, Write};
use semihosting::process;

type Input = <Number as embedded_rnn::Number>::In;
type Output = <Number as embedded_rnn::Number>::Out;

/// The cost of a step; `xtask/boards/src/image.rs` reads it.
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
    /// The fewest ticks of a counted step; 0 if whole sequences are counted.
    least: u32,
    /// The most ticks of a counted step.
    most: u32,
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

embedded_rnn_firmware::entry!(main);

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

/// Writes the number of generated ids, and the ids. Each of them is a step, and so is the end.
fn write_ids(
    model: &net::Model,
    state: &mut net::State<'_>,
    meter: &mut Meter,
    outputs: &mut File,
) -> Result<(), Failure> {
    let mut ids = [0; MAX_IDS];
    let steps = |ids: &Result<&[u16], Error>| ids.map_or(0, |ids| (ids.len() + 1).min(MAX_IDS) as u32);
    let ids = meter.measure(steps, || model.greedy(state, 0, 0, &mut ids))??;
    let words = core::iter::once(ids.len() as u32).chain(ids.iter().map(|&id| u32::from(id)));
    for word in words {
        host(outputs.write_all(&word.to_le_bytes()), "outputs.bin")?;
    }
    Ok(())
}

/// Measures the stack in the first step of each sequence and the ticks in the others; of whole sequences,
/// alternately. The two are separate because painting the stack is far longer than a step.
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
        let ticks = ticks.ok_or(Failure::CounterWrapped)?.saturating_sub(self.overhead);
        self.figures.ticks += ticks;
        let steps = steps(&result);
        if STEPS == 0 {
            let ticks = ticks as u32;
            let is_first = self.figures.counted == 0;
            self.figures.least = if is_first { ticks } else { self.figures.least.min(ticks) };
            self.figures.most = self.figures.most.max(ticks);
        }
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

fn host<T>(result: io::Result<T>, name: &'static str) -> Result<T, Failure> {
    result.map_err(|_| Failure::Host(name))
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
