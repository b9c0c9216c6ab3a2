//! Every function of a model, called on every backend of the machine.
//!
//! A model that is accepted never panics, and its backends agree: integer models bit for bit, float models
//! bit for bit among the backends of one arithmetic. On each backend the outputs of single steps are those of
//! a run, and a restored state continues as the saved one.

use embedded_rnn::{
    AlignedBytes, AnyModel, Backend, Error, F16, F32, I8, Kind, Model, State, argmax, features, input_size,
    output_size, ram_needed, ram_needed_for, run_output_len, saved_len,
};

use crate::number::{FuzzedNumber, real_bits};

/// Time steps of a sequence.
pub const STEPS: usize = 5;
/// The largest memory of a state that is tried: a file may ask for gigabytes.
const RAM_LIMIT: usize = 1 << 20;

/// The result of a call: its name, and its output or its error.
type Call = (&'static str, Result<Vec<u32>, Error>);

/// Validates the bytes as a model of each dtype, and exercises it; those after the file become its inputs.
pub fn exercise(bytes: &[u8]) {
    let aligned = Words::new(bytes);
    let bytes = aligned.bytes();
    let accepted = [use_as::<F32>(bytes), use_as::<F16>(bytes), use_as::<I8>(bytes)];
    assert!(accepted.iter().filter(|&&accepted| accepted).count() <= 1, "a file of two dtypes");
    let any = AnyModel::new(AlignedBytes::new(bytes));
    assert_eq!(any.is_ok(), accepted.contains(&true), "{:?}", any.err());
    if let Ok(any) = any {
        let _ = (any.input_ids(), any.mask_value(), any.label(0), any.layers().len());
    }
}

/// Returns whether the bytes are a model of the dtype. If so, it is exercised.
fn use_as<N: FuzzedNumber>(bytes: &[u8]) -> bool {
    let Ok(model) = Model::<N>::new(bytes) else { return false };
    check_facts(&model, bytes);
    let preamble = model.preamble();
    let steps = STEPS.max(preamble.golden_steps as usize);
    let ram = preamble.ram_per_step as usize * steps + preamble.ram_needed as usize;
    if ram <= RAM_LIMIT && model.output_size() <= RAM_LIMIT {
        let tail = bytes.get(preamble.file_len as usize..).unwrap_or_default();
        compare(&model, ram, &inputs(&model, tail), &[]);
    }
    true
}

/// Compares the facts that are read without validation with those of the model.
fn check_facts<N: FuzzedNumber>(model: &Model<'_, N>, bytes: &[u8]) {
    let preamble = model.preamble();
    assert_eq!(input_size(bytes), model.input_size());
    assert_eq!(output_size(bytes), model.output_size());
    assert_eq!(features(bytes), preamble.features);
    assert_eq!(ram_needed(bytes), preamble.ram_needed as usize);
    if preamble.ram_needed < 1 << 30 && preamble.ram_per_step < 1 << 30 {
        assert!(ram_needed_for(bytes, 1) >= ram_needed(bytes));
    }
    assert_eq!(saved_len(bytes), model.saved_len());
    if model.output_size() < 1 << 30 {
        assert_eq!(run_output_len(bytes, 2), model.run_output_len(2));
    }
    if let Some(header) = model.header() {
        let _ = (header.info(), header.layers().count(), header.labels().count());
    }
}

/// Returns the inputs of all steps. Ids are mostly such that the model has weights for.
fn inputs<N: FuzzedNumber>(model: &Model<'_, N>, tail: &[u8]) -> Vec<N::In> {
    let mut bytes = tail.iter().copied().cycle().chain(std::iter::repeat(0));
    let ids = model
        .layers()
        .first()
        .filter(|first| first.kind == Kind::Embedding as u8)
        .map(|first| first.input_dim);
    let mut value = || {
        let four = std::array::from_fn(|_| bytes.next().unwrap_or_default());
        match ids {
            Some(count) if four[3] < 250 => N::id_input((u32::from(four[0]) % count.max(1)) as u16),
            _ => N::input(four),
        }
    };
    (0..STEPS * model.input_size()).map(|_| value()).collect()
}

/// Runs the model on every backend, from the saved state unless it is empty, and compares the calls.
pub fn compare<N: FuzzedNumber>(model: &Model<'_, N>, ram: usize, xs: &[N::In], saved: &[u8]) {
    let mut all: Vec<(Backend, Vec<Call>)> = Vec::new();
    for backend in Backend::all() {
        let calls = calls(&model.with_backend(backend), ram, xs, saved);
        for (other, expected) in &all {
            if N::IS_EXACT || other.is_fused() == backend.is_fused() {
                assert_eq!(&calls, expected, "{} and {}", backend.name(), other.name());
            } else {
                assert_eq!(accepted(&calls), accepted(expected), "{} and {}", backend.name(), other.name());
            }
        }
        all.push((backend, calls));
    }
}

/// Returns which calls succeeded, of those that do not depend on outputs.
fn accepted(calls: &[Call]) -> Vec<bool> {
    let dependent = |name: &str| ["self_test", "greedy"].contains(&name);
    calls.iter().filter(|(name, _)| !dependent(name)).map(|(_, result)| result.is_ok()).collect()
}

/// Calls every function of a model.
fn calls<N: FuzzedNumber>(model: &Model<'_, N>, ram: usize, xs: &[N::In], saved: &[u8]) -> Vec<Call> {
    let mut memory = Words::filled(ram);
    let mut state = model.state(memory.bytes_mut()).expect("enough memory");
    let mut calls = Vec::new();
    if saved.is_empty() {
        calls.push(("self_test", model.self_test(&mut state).map(|()| Vec::new())));
    } else if state.restore(model, saved).is_err() {
        return vec![("restore", Err(Error::BadSavedState))];
    }
    let start = save(model, &state);
    let run = run(model, &mut state, xs);
    check_continued(model, ram, &state, xs);
    calls.push(("run", run.clone()));
    states(model, &mut state, &mut calls);
    let mut ids = [0; STEPS];
    let greedy = model.greedy(&mut state, 0, 1, &mut ids);
    calls.push(("greedy", greedy.map(|ids| ids.iter().map(|&id| id.into()).collect())));
    if N::IS_EXACT {
        calls.push(("save", Ok(save(model, &state).into_iter().map(u32::from).collect())));
    }
    state.restore(model, &start).expect("its own state");
    let steps = steps(model, &mut state, xs);
    check_steps(model, &run, &steps);
    calls.push(("step", steps));
    calls
}

fn run<N: FuzzedNumber>(
    model: &Model<'_, N>,
    state: &mut State<'_, N>,
    xs: &[N::In],
) -> Result<Vec<u32>, Error> {
    let mut out: Vec<N::Out> = vec![bytemuck::Zeroable::zeroed(); model.run_output_len(STEPS)];
    model.run(state, xs, &mut out).map(|()| N::bits(&out))
}

fn steps<N: FuzzedNumber>(
    model: &Model<'_, N>,
    state: &mut State<'_, N>,
    xs: &[N::In],
) -> Result<Vec<u32>, Error> {
    let mut all = Vec::new();
    for x in xs.chunks(model.input_size().max(1)) {
        let y = model.step(state, x)?;
        let _ = argmax(y);
        all.extend(N::bits(y));
    }
    Ok(all)
}

/// Checks that single steps have the outputs of a run.
fn check_steps<N: FuzzedNumber>(
    model: &Model<'_, N>,
    run: &Result<Vec<u32>, Error>,
    steps: &Result<Vec<u32>, Error>,
) {
    if let (Ok(run), Ok(steps)) = (run, steps) {
        assert_eq!(run[..], steps[steps.len() - run.len()..], "a run and steps: {:?}", model.backend());
    }
}

fn save<N: FuzzedNumber>(model: &Model<'_, N>, state: &State<'_, N>) -> Vec<u8> {
    let mut buffer = vec![0; model.saved_len()];
    state.save(model, &mut buffer).expect("enough room").to_vec()
}

/// Checks that a state that is saved and restored in other memory continues as the original.
fn check_continued<N: FuzzedNumber>(model: &Model<'_, N>, ram: usize, state: &State<'_, N>, xs: &[N::In]) {
    let saved = save(model, state);
    let again = || {
        let mut memory = Words::filled(ram);
        let mut state = model.state(memory.bytes_mut()).expect("enough memory");
        state.restore(model, &saved).expect("a saved state");
        assert_eq!(save(model, &state), saved, "a restored state is saved again");
        run(model, &mut state, xs)
    };
    assert_eq!(again(), again());
}

/// Reads the state of each recurrent layer and sets it again.
fn states<N: FuzzedNumber>(model: &Model<'_, N>, state: &mut State<'_, N>, calls: &mut Vec<Call>) {
    for (layer, record) in model.layers().iter().enumerate() {
        let mut h = vec![0.0; record.units()];
        let mut c = if record.kind == Kind::Lstm as u8 { h.clone() } else { Vec::new() };
        let result = model.layer_state(state, layer, &mut h, &mut c);
        let result = result.and_then(|()| model.set_layer_state(state, layer, &h, &c));
        calls.push(("layer_state", result.map(|()| real_bits(&[h, c].concat()))));
    }
}

/// Bytes at an address that is a multiple of 4, and no more of them than there must be, so that a sanitizer
/// finds reads beyond the last.
pub struct Words {
    words: Vec<u32>,
    len: usize,
}

impl Words {
    /// Copies bytes.
    pub fn new(bytes: &[u8]) -> Self {
        let mut words = vec![0; bytes.len().div_ceil(4)];
        bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(bytes);
        Self { words, len: bytes.len() }
    }

    /// Makes `len` bytes that are not zero, as the memory of a caller need not be.
    pub fn filled(len: usize) -> Self {
        Self { words: vec![0xa5a5_a5a5; len.div_ceil(4)], len }
    }

    /// Returns the bytes.
    pub fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.len]
    }

    /// Returns the bytes.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.words)[..self.len]
    }
}
