//! Time steps, sequences and generation.

use crate::buffer::{self, Buffer, check_disjoint};
use crate::handle::{self, FEATURES, Held, Linked, Opened, ernn_model_t, ernn_state_t, with_model};
use crate::model::model_range;
use crate::state::of_model;
use crate::status::ernn_status_t;
use embedded_rnn::{Error, Model};

/// The arguments of a call that reads inputs and writes outputs.
struct Call<I, O> {
    model: *const ernn_model_t,
    state: *mut ernn_state_t,
    x: *const I,
    x_len: usize,
    y: *mut O,
    y_len: usize,
}

/// Inputs and outputs of a call that do not overlap anything.
struct Values<'a, I, O> {
    x: &'a [I],
    y: &'a mut [O],
}

/// How many time steps a call runs.
#[derive(Clone, Copy)]
enum Extent {
    /// One, with its output.
    Step,
    /// All that the inputs have.
    Run,
}

impl<I, O> Call<I, O> {
    /// Checks handles and buffers.
    ///
    /// # Safety
    /// The contract of the crate.
    unsafe fn checked<'a>(&self) -> Result<(&'a Opened, &'a mut Held, Values<'a, I, O>), ernn_status_t> {
        // SAFETY: the caller keeps the contract of the crate.
        let (opened, held) = unsafe { (handle::get(self.model)?, handle::get_mut(self.state)?) };
        let (x, y) = (Buffer::new(self.x, self.x_len)?, Buffer::new(self.y, self.y_len)?);
        let handles = [handle::range(self.model)?, handle::range(self.state)?];
        check_disjoint(&y.range(), &handles)?;
        check_disjoint(&y.range(), &[x.range(), held.ram.clone(), model_range(opened)])?;
        check_disjoint(&held.ram, &[x.range()])?;
        check_disjoint(&handles[1], &[x.range()])?;
        // SAFETY: the buffers were checked and are apart, and the caller guarantees the memory.
        let values = unsafe { Values { x: x.values(), y: y.values_mut() } };
        Ok((opened, held, values))
    }
}

#[cfg(feature = "i8")]
unsafe fn call_i8(call: Call<i16, i32>, extent: Extent) -> Result<(), ernn_status_t> {
    // SAFETY: the caller keeps the contract of the crate.
    let (opened, held, values) = unsafe { call.checked()? };
    #[allow(unreachable_patterns, reason = "a build of one dtype has one variant")]
    match opened {
        Opened::I8(model) => forward(model, held, values, extent),
        _ => Err(ernn_status_t::ERNN_ERROR_DTYPE),
    }
}

#[cfg(any(feature = "f32", feature = "f16"))]
unsafe fn call_f32(call: Call<f32, f32>, extent: Extent) -> Result<(), ernn_status_t> {
    // SAFETY: the caller keeps the contract of the crate.
    let (opened, held, values) = unsafe { call.checked()? };
    match opened {
        #[cfg(feature = "f32")]
        Opened::F32(model) => forward(model, held, values, extent),
        #[cfg(feature = "f16")]
        Opened::F16(model) => forward(model, held, values, extent),
        #[cfg(feature = "i8")]
        Opened::I8(_) => Err(ernn_status_t::ERNN_ERROR_DTYPE),
    }
}

fn forward<N: Linked>(
    model: &Model<'static, N, FEATURES>,
    held: &mut Held,
    values: Values<'_, N::In, N::Out>,
    extent: Extent,
) -> Result<(), ernn_status_t> {
    let (state, Values { x, y }) = (of_model::<N>(&mut held.state)?, values);
    if let Extent::Run = extent {
        return Ok(model.run(state, x, y)?);
    }
    let expected = if model.has_decoder() { 0 } else { model.output_size() };
    if y.len() != expected {
        return Err(Error::OutputLength { expected, found: y.len() }.into());
    }
    let output = model.step(state, x)?;
    y.iter_mut().zip(output).for_each(|(y, &output)| *y = output);
    Ok(())
}

/// Runs one time step of an `ERNN_I8` model: `x_len` is `info.input_size`, `y_len` is `info.output_size` (0
/// for a model with a decoder).
#[cfg(feature = "i8")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ernn_step_i8(
    model: *const ernn_model_t,
    state: *mut ernn_state_t,
    x: *const i16,
    x_len: usize,
    y: *mut i32,
    y_len: usize,
) -> ernn_status_t {
    // SAFETY: the caller keeps the contract of the crate.
    ernn_status_t::of(unsafe { call_i8(Call { model, state, x, x_len, y, y_len }, Extent::Step) })
}

/// Runs one time step of an `ERNN_F32` or `ERNN_F16` model, as `ernn_step_i8` does.
#[cfg(any(feature = "f32", feature = "f16"))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ernn_step_f32(
    model: *const ernn_model_t,
    state: *mut ernn_state_t,
    x: *const f32,
    x_len: usize,
    y: *mut f32,
    y_len: usize,
) -> ernn_status_t {
    // SAFETY: the caller keeps the contract of the crate.
    ernn_status_t::of(unsafe { call_f32(Call { model, state, x, x_len, y, y_len }, Extent::Step) })
}

/// Runs many time steps of an `ERNN_I8` model, one after another in `xs`: the same bits as that many calls of
/// `ernn_step_i8`. `ernn_output_len` is the length of `ys`.
#[cfg(feature = "i8")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ernn_run_i8(
    model: *const ernn_model_t,
    state: *mut ernn_state_t,
    xs: *const i16,
    xs_len: usize,
    ys: *mut i32,
    ys_len: usize,
) -> ernn_status_t {
    let call = Call { model, state, x: xs, x_len: xs_len, y: ys, y_len: ys_len };
    // SAFETY: the caller keeps the contract of the crate.
    ernn_status_t::of(unsafe { call_i8(call, Extent::Run) })
}

/// Runs many time steps of an `ERNN_F32` or `ERNN_F16` model, as `ernn_run_i8` does.
#[cfg(any(feature = "f32", feature = "f16"))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ernn_run_f32(
    model: *const ernn_model_t,
    state: *mut ernn_state_t,
    xs: *const f32,
    xs_len: usize,
    ys: *mut f32,
    ys_len: usize,
) -> ernn_status_t {
    let call = Call { model, state, x: xs, x_len: xs_len, y: ys, y_len: ys_len };
    // SAFETY: the caller keeps the contract of the crate.
    ernn_status_t::of(unsafe { call_f32(call, Extent::Run) })
}

/// Generates the likeliest ids from `first` up to the first `end`, at most `len`, and stores their number in
/// `count`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ernn_greedy(
    model: *const ernn_model_t,
    state: *mut ernn_state_t,
    first: u16,
    end: u16,
    ids: *mut u16,
    len: usize,
    count: *mut usize,
) -> ernn_status_t {
    let call = Call { model, state, x: count.cast_const(), x_len: 1, y: ids, y_len: len };
    // SAFETY: the caller keeps the contract of the crate.
    ernn_status_t::of(unsafe { greedy(&call, first, end).and_then(|ids| buffer::put(count, ids)) })
}

/// Generates into the outputs of a call, whose input is the place for the number of ids.
unsafe fn greedy(call: &Call<usize, u16>, first: u16, end: u16) -> Result<usize, ernn_status_t> {
    // SAFETY: the caller keeps the contract of the crate.
    let (opened, held, Values { y, .. }) = unsafe { call.checked()? };
    with_model!(opened, model => Ok(model.greedy(of_model(&mut held.state)?, first, end, y)?.len()))
}
