//! A cell that runs over time.

use anyhow::{Context, Result, ensure};
use embedded_rnn::Kind as RecordKind;
use embedded_rnn::format::{GO_BACKWARDS, LayerRecord, RETURN_SEQUENCES};
use rand_chacha::ChaCha8Rng;

use super::dropout::mask;
use super::rows::{read_rows, summarize_rows};
use super::{
    Affine, Export, FoldRole, ForwardCache, Gradients, InputStage, Kind, Layer, LayerSpec, Module, Observer,
    Pass, RecordSummary, Signal, Stored,
};
use crate::activation::Activation;
use crate::cells::{AnyCell, CellConfig, SharedOptions, all_layouts, check, layout_of};
use crate::data::Dataset;
use crate::export::{
    Activations, DenseParts, FloatWeights, IntLayer, PackedLayer, Site, float_rows, full_scale, int_rows,
    push_initial_float, push_initial_int, split_initial, unit_for,
};
use crate::packed::{BatchSizes, PackedSequence};
use crate::tensor::{Matrix, Real, cast, product};

/// A cell, and the options of its run over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Recurrent<T: Real> {
    /// The cell and its weights.
    pub cell: AnyCell<T>,
    /// `true` if the layer returns the output of every time step, not only that of the last step of each
    /// sequence.
    pub return_sequences: bool,
    /// `true` if the layer runs backwards. As in Keras, outputs stay in the order of computation: that of the
    /// last frame first.
    pub go_backwards: bool,
    /// The initial states, `[hidden x 1]` each, in the order of [`Module::states`]; empty for zeros. Training
    /// leaves them as they are.
    pub initial_state: Vec<Matrix<T>>,
    /// The probability that an input feature is dropped in training, for all steps of a sequence; 0 for no
    /// dropout.
    pub dropout: T,
}

impl<C: CellConfig> LayerSpec for C {
    fn name(&self) -> Option<&String> {
        self.shared().name
    }

    fn units(&self) -> Option<(&'static str, usize)> {
        Some(("units", self.shared().units))
    }

    fn parameters(&self, input_size: u64) -> u64 {
        let SharedOptions { units, use_bias, .. } = self.shared();
        let layout = self.layout();
        let biases = if use_bias { layout.biases } else { 0 };
        // Units are limited to 2^16, so only the features can overflow the product.
        input_size
            .saturating_add(units as u64 + biases)
            .saturating_mul(layout.gates.len() as u64 * units as u64)
    }

    fn keeps_time(&self) -> bool {
        self.shared().return_sequences
    }

    fn needs_time(&self) -> bool {
        true
    }

    fn check(&self) -> Result<()> {
        check(self)
    }

    fn build(&self, input_size: usize, _: &Dataset, rng: &mut ChaCha8Rng) -> Kind<f32> {
        Kind::Recurrent(Recurrent::build(self, input_size, rng))
    }
}

impl Recurrent<f32> {
    /// Builds the layer of a config with its initial weights.
    pub(super) fn build(config: &dyn CellConfig, input_size: usize, rng: &mut ChaCha8Rng) -> Self {
        let SharedOptions { return_sequences, go_backwards, dropout, .. } = config.shared();
        let cell = config.build(input_size, rng);
        Self { go_backwards, dropout: dropout as f32, ..Self::new(cell, return_sequences) }
    }
}

impl<T: Real> Recurrent<T> {
    /// Creates a layer that runs forwards.
    pub fn new(cell: AnyCell<T>, return_sequences: bool) -> Self {
        let initial_state = Vec::new();
        Self { cell, return_sequences, go_backwards: false, initial_state, dropout: T::zero() }
    }

    /// Returns the layer with these initial states; none if all of them are zeros.
    #[must_use]
    pub fn starting_from(self, initial_state: Vec<Matrix<T>>) -> Self {
        let is_zero = initial_state.iter().all(|state| state.iter().all(|value| *value == T::zero()));
        Self { initial_state: if is_zero { Vec::new() } else { initial_state }, ..self }
    }

    /// Runs [`Module::forward`], with dropout drawn from `rng` in training.
    pub(super) fn run(
        &self,
        input: &PackedSequence<T>,
        initial: &[Matrix<T>],
        rng: Option<&mut ChaCha8Rng>,
    ) -> ForwardCache<T> {
        let cell = self.cell.get();
        let (hidden, steps) = (cell.hidden_size(), &input.steps);
        let zeros = || Matrix::zeros(hidden, steps.sequences() + steps.columns());
        let mut states: Vec<_> = cell.states().iter().map(|_| zeros()).collect();
        for (state, own) in states.iter_mut().zip(&self.initial_state) {
            let mut first = state.columns_range_mut(..steps.sequences());
            first.column_iter_mut().for_each(|mut column| column.copy_from(own));
        }
        for (state, initial) in states.iter_mut().zip(initial) {
            state.columns_range_mut(..steps.sequences()).copy_from(initial);
        }
        let mask = match rng {
            Some(rng) if self.dropout > T::zero() => {
                let features = mask(cell.input_size(), steps.sequences(), self.dropout, rng);
                features.select_columns(&steps.sequence_of_each())
            }
            _ => Matrix::zeros(0, 0),
        };
        let mut saved = cell.forward(&self.frames(input, &mask), steps, &mut states);
        let output = self.output(&states[0], input);
        states.push(mask);
        states.append(&mut saved);
        ForwardCache { output, statistics: Vec::new(), saved: states, inner: Vec::new() }
    }

    /// Returns the frames in the order of the cell, multiplied by `mask` if it is not empty.
    fn frames(&self, input: &PackedSequence<T>, mask: &Matrix<T>) -> Matrix<T> {
        let values = if mask.is_empty() { input.values.clone() } else { input.values.component_mul(mask) };
        if self.go_backwards { values.select_columns(&input.steps.reversed()) } else { values }
    }

    fn output(&self, h: &Matrix<T>, input: &PackedSequence<T>) -> PackedSequence<T> {
        let steps = &input.steps;
        let skip = steps.sequences();
        if self.return_sequences {
            return PackedSequence {
                values: h.columns_range(skip..skip + steps.columns()).into_owned(),
                steps: steps.clone(),
            };
        }
        let last = steps.final_states();
        PackedSequence { values: h.select_columns(&last), steps: BatchSizes::single(last.len()) }
    }

    /// Computes the gradient of the frames, in their own order, from that of the cell's pre-activations.
    pub(super) fn gradient_of_frames(
        &self,
        input: &PackedSequence<T>,
        cache: &ForwardCache<T>,
        pre_activations: &Matrix<T>,
    ) -> Matrix<T> {
        let mut d = product(&self.cell.get().w_ih().transpose(), pre_activations);
        if self.go_backwards {
            d = d.select_columns(&input.steps.reversed());
        }
        let (_, mask, _) = self.split(cache);
        if !mask.is_empty() {
            d.component_mul_assign(mask);
        }
        d
    }

    /// Splits the saved activations of a cache into the states, the mask, and those of the cell.
    fn split<'a>(&self, cache: &'a ForwardCache<T>) -> (&'a [Matrix<T>], &'a Matrix<T>, &'a [Matrix<T>]) {
        let (states, rest) = cache.saved.split_at(self.cell.get().states().len());
        (states, &rest[0], &rest[1..])
    }

    pub(super) fn cast<U: Real>(&self) -> Recurrent<U> {
        Recurrent {
            cell: self.cell.cast(),
            return_sequences: self.return_sequences,
            go_backwards: self.go_backwards,
            initial_state: self.initial_state.iter().map(cast).collect(),
            dropout: U::of(self.dropout.to_f64()),
        }
    }
}

/// Adds `values` to `columns(to)` of `out`, column by column.
fn add_columns<T: Real>(out: &mut Matrix<T>, to: &[usize], values: &Matrix<T>) {
    for (&column, values) in to.iter().zip(values.column_iter()) {
        out.column_mut(column).zip_apply(&values, |sum, value| *sum += value);
    }
}

impl<T: Real> Module<T> for Recurrent<T> {
    fn output_size(&self) -> usize {
        self.cell.get().hidden_size()
    }

    fn parameters(&self) -> Vec<(&'static str, &Matrix<T>)> {
        self.cell.get().parameters()
    }

    fn parameters_mut(&mut self) -> Vec<&mut Matrix<T>> {
        self.cell.get_mut().parameters_mut()
    }

    fn states(&self) -> Vec<usize> {
        let cell = self.cell.get();
        cell.states().iter().map(|_| cell.hidden_size()).collect()
    }

    fn initial_states(&self) -> Vec<Vec<T>> {
        let own = |(k, size): (usize, usize)| match self.initial_state.get(k) {
            Some(own) => own.as_slice().to_vec(),
            None => vec![T::zero(); size],
        };
        self.states().into_iter().enumerate().map(own).collect()
    }

    fn keeps_time(&self) -> bool {
        self.return_sequences
    }

    /// Saves every state, the dropout mask (empty if none was drawn), and the saved activations of the cell.
    fn forward(&self, input: &PackedSequence<T>, mut pass: Pass<'_, T>) -> ForwardCache<T> {
        self.run(input, pass.initial, pass.training.as_mut())
    }

    fn final_states(&self, input: &PackedSequence<T>, cache: &ForwardCache<T>) -> Vec<Matrix<T>> {
        let last = input.steps.final_states();
        self.split(cache).0.iter().map(|state| state.select_columns(&last)).collect()
    }

    fn backward(
        &self,
        input: &PackedSequence<T>,
        cache: &ForwardCache<T>,
        d_output: Matrix<T>,
        d_final: &[Matrix<T>],
    ) -> Gradients<T> {
        let steps = &input.steps;
        let (states, mask, saved) = self.split(cache);
        let mut d_states: Vec<_> = states.iter().map(|s| Matrix::zeros(s.nrows(), s.ncols())).collect();
        let skip = steps.sequences();
        if self.return_sequences {
            d_states[0].columns_range_mut(skip..).copy_from(&d_output);
        } else {
            add_columns(&mut d_states[0], &steps.final_states(), &d_output);
        }
        for (d_state, d) in d_states.iter_mut().zip(d_final) {
            add_columns(d_state, &steps.final_states(), d);
        }
        let frames = self.frames(input, mask);
        let found = self.cell.get().backward(&frames, steps, states, saved, &mut d_states);
        let initial = d_states.iter().map(|d| d.columns_range(..skip).into_owned()).collect();
        let h = vec![d_states.swap_remove(0)];
        let (parameters, pre_activations) = (found.parameters, vec![found.pre_activations]);
        Gradients { parameters, initial, h, pre_activations }
    }

    fn backward_pre_activations(&self, _: &PackedSequence<T>, _: Matrix<T>) -> Option<Gradients<T>> {
        None
    }

    fn input_gradient(
        &self,
        input: &PackedSequence<T>,
        cache: &ForwardCache<T>,
        gradients: &Gradients<T>,
    ) -> Matrix<T> {
        self.gradient_of_frames(input, cache, &gradients.pre_activations[0])
    }

    fn forward_reference(
        &self,
        mut frames: Vec<Vec<T>>,
        states: &mut [Vec<T>],
        observe: Observer<'_, T>,
    ) -> Vec<Vec<T>> {
        if self.go_backwards {
            frames.reverse();
        }
        let mut outputs = Vec::with_capacity(frames.len());
        for (k, state) in self.initial_state.iter().enumerate() {
            observe(Signal::State(k), state.as_slice());
        }
        for frame in &frames {
            observe(Signal::PreActivations, &self.cell.get().step(frame, states));
            states.iter().enumerate().for_each(|(k, state)| observe(Signal::State(k), state));
            outputs.push(states[0].clone());
        }
        if !self.return_sequences {
            outputs.drain(..outputs.len().saturating_sub(1));
        }
        outputs
    }
}

impl Recurrent<f32> {
    /// Returns the weights and options of the layer in the form of a file.
    pub(super) fn parts(&self) -> DenseParts {
        let flag = |is, flag| if is { flag } else { 0 };
        let flags = flag(self.return_sequences, RETURN_SEQUENCES) | flag(self.go_backwards, GO_BACKWARDS);
        let (layout, weights, activations) = self.cell.packable();
        DenseParts { layout, weights, activations, flags }
    }

    /// Returns the record of the layer in floats.
    pub(super) fn packed<N: FloatWeights>(&self, name: &str) -> Result<PackedLayer<N::Weight>> {
        let mut packed = float_rows::<N>(&self.parts(), name)?;
        push_initial_float::<N>(&self.initial_state, &mut packed);
        Ok(packed)
    }

    /// Returns the record of the layer in integers, and the unit of its output.
    pub(super) fn packed_int(&self, site: Site<'_>, name: &str) -> Result<(PackedLayer<i32>, f64)> {
        let parts = self.parts();
        let unit = cell_unit(&parts, site);
        let mut packed = int_rows(&parts, site, unit, name)?;
        push_initial_int(&self.initial_state, &mut packed);
        Ok((packed, unit))
    }

    /// Rejects activations that integer cells do not support.
    pub(super) fn check_integer(&self) -> Result<()> {
        use Activation::{HardSigmoid, HardSigmoidKeras1, Linear, Relu, Sigmoid, Tanh};
        let (layout, _, Activations { value, recurrent }) = self.cell.packable();
        let values: &[Activation] = if layout.is_gated() {
            &[Linear, Relu, Tanh, Sigmoid]
        } else {
            &[Linear, Relu, Tanh, Sigmoid, HardSigmoid, HardSigmoidKeras1]
        };
        ensure!(
            values.contains(&value),
            "activation {}: 8-bit cells do not support it, half floats do",
            value.keras_name()
        );
        ensure!(
            !layout.is_gated() || [Sigmoid, HardSigmoid, HardSigmoidKeras1].contains(&recurrent),
            "recurrent_activation {}: 8-bit cells do not support it, half floats do",
            recurrent.keras_name()
        );
        Ok(())
    }
}

/// Returns the unit of a cell's output, and of its candidates and states, which an unbounded activation can
/// take beyond its outputs.
fn cell_unit(parts: &DenseParts, site: Site<'_>) -> f64 {
    let Site { ranges, frac, .. } = site;
    if !matches!(parts.activations.value, Activation::Linear | Activation::Relu) {
        return full_scale(frac);
    }
    let all = &ranges.pre_activations;
    let values = (0..all.len()).filter(|&gate| !parts.layout.has_role_gate(gate));
    let inside = values.map(|gate| all[gate]).chain(ranges.states.iter().copied());
    unit_for(inside.fold(ranges.output, f32::max), frac)
}

impl Export for Recurrent<f32> {
    fn kinds() -> Vec<RecordKind> {
        all_layouts().map(|layout| layout.kind).collect()
    }

    fn check_export(&self) -> Result<()> {
        self.parts().check_of_cell()
    }

    fn export_float<N: FloatWeights>(&self, name: &str) -> Result<Vec<PackedLayer<N::Weight>>> {
        Ok(vec![self.packed::<N>(name)?])
    }

    fn integer_form(&self, name: &str) -> Result<Vec<Layer<f32>>> {
        self.check_integer()?;
        Ok(vec![Layer { name: name.to_owned(), kind: Kind::Recurrent(self.clone()) }])
    }

    fn input_stage(&self, _: &str) -> Result<InputStage<'_>> {
        Ok(InputStage::Inner)
    }

    fn export_int(&self, name: &str, site: Site<'_>) -> Result<IntLayer> {
        let (packed, unit) = self.packed_int(site, name)?;
        Ok((vec![packed], unit))
    }

    fn gates(&self) -> usize {
        self.cell.packable().0.gates.len()
    }

    fn fold_role(&self) -> FoldRole {
        FoldRole::Other
    }

    fn absorb_before(&mut self, affine: &Affine) -> bool {
        let (w, bias) = self.cell.input_weights_mut();
        affine.fold_before(w, bias);
        true
    }

    fn absorb_after(&mut self, _: &FoldRole) -> bool {
        false
    }

    fn read<N: FloatWeights>(stored: &Stored<'_, N>, _: &mut Vec<Layer<f32>>) -> Result<Self> {
        let record = stored.record;
        let layout = layout_of(stored.kind).context("no cell has this kind")?;
        let (own, initial_state) = split_initial::<N>(record, layout, stored.weights);
        let stored = Stored { weights: own, ..*stored };
        let (weights, activations) = read_rows(&stored, layout, record.units())?;
        let cell = AnyCell::from_packed(layout, weights, activations).context("no cell has this layout")?;
        let layer = Self::new(cell, record.return_sequences());
        Ok(Self { go_backwards: record.go_backwards(), initial_state, ..layer })
    }

    fn summarize(record: &LayerRecord) -> RecordSummary {
        let kind = RecordKind::from_code(record.kind, embedded_rnn::ALL_FEATURES);
        let layout = kind.and_then(layout_of);
        layout
            .map_or_else(RecordSummary::default, |layout| summarize_rows(record, layout, record.units.into()))
    }
}
