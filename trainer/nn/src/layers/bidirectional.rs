//! A cell in both directions of time, each with its own weights; the two outputs for a frame are merged.

use anyhow::{Context, Result, bail, ensure};
use embedded_rnn::Kind as RecordKind;
use embedded_rnn::format::{DIRECTION, LayerRecord, MergeMode as MergeCode};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::merge_mode::MergeMode;
use super::{
    Affine, Export, FoldRole, ForwardCache, Gradients, InputStage, Kind, Layer, LayerConfig, LayerSpec,
    Module, Observer, Pass, RecordSummary, Recurrent, Signal, Stored,
};
use crate::cells::CellConfig;
use crate::data::Dataset;
use crate::export::{FloatWeights, IntLayer, PackedLayer, Site, full_scale};
use crate::packed::PackedSequence;
use crate::tensor::{Matrix, Real};

/// Two recurrent layers over the same frames.
#[derive(Clone, Debug, PartialEq)]
pub struct Bidirectional<T: Real> {
    /// The forward direction.
    pub forward: Recurrent<T>,
    /// The backward direction. If it returns sequences, its outputs are reversed to the order of the frames.
    pub backward: Recurrent<T>,
    /// The merge of the two outputs.
    pub merge_mode: MergeMode,
}

/// A `Bidirectional` layer in a config; names and defaults are Keras's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BidirectionalConfig {
    /// The name of the layer.
    pub name: Option<String>,
    /// The recurrent layer that runs in both directions.
    pub layer: Box<LayerConfig>,
    /// The merge mode; concat by default.
    #[serde(default)]
    pub merge_mode: MergeMode,
}

impl BidirectionalConfig {
    /// Returns the config of the cell, which is checked before it is needed.
    fn cell(&self) -> Option<&dyn CellConfig> {
        self.layer.cell()
    }

    fn inner(&self) -> &dyn LayerSpec {
        self.layer.get()
    }
}

impl LayerSpec for BidirectionalConfig {
    fn name(&self) -> Option<&String> {
        self.name.as_ref()
    }

    fn units(&self) -> Option<(&'static str, usize)> {
        let (key, units) = self.inner().units()?;
        Some((key, if self.merge_mode == MergeMode::Concat { units.saturating_mul(2) } else { units }))
    }

    fn parameters(&self, input_size: u64) -> u64 {
        self.inner().parameters(input_size).saturating_mul(2)
    }

    fn keeps_time(&self) -> bool {
        self.inner().keeps_time()
    }

    fn needs_time(&self) -> bool {
        true
    }

    fn check(&self) -> Result<()> {
        let check = || -> Result<()> {
            let cell = self.cell().context("not a recurrent layer")?;
            ensure!(
                !cell.shared().go_backwards,
                "go_backwards: one of the two directions already runs backwards"
            );
            self.inner().check_units()?;
            self.inner().check()
        };
        check().context("layer")
    }

    fn build(&self, input_size: usize, _: &Dataset, rng: &mut ChaCha8Rng) -> Kind<f32> {
        let cell = self.cell().expect("checked with the config");
        let forward = Recurrent::build(cell, input_size, rng);
        let backward = Recurrent { go_backwards: true, ..Recurrent::build(cell, input_size, rng) };
        Kind::Bidirectional(Bidirectional { forward, backward, merge_mode: self.merge_mode })
    }
}

impl<T: Real> Bidirectional<T> {
    /// Reverses an output of the backward direction to the order of the frames, or its gradient to that of
    /// the cell.
    fn reversed(&self, values: &Matrix<T>, input: &PackedSequence<T>) -> Matrix<T> {
        if self.keeps_time() { values.select_columns(&input.steps.reversed()) } else { values.clone() }
    }

    pub(super) fn cast<U: Real>(&self) -> Bidirectional<U> {
        Bidirectional {
            forward: self.forward.cast(),
            backward: self.backward.cast(),
            merge_mode: self.merge_mode,
        }
    }
}

/// Lists of both directions start with the forward one's entries, followed by the backward one's.
impl<T: Real> Module<T> for Bidirectional<T> {
    fn output_size(&self) -> usize {
        let hidden = self.forward.output_size();
        if self.merge_mode == MergeMode::Concat { 2 * hidden } else { hidden }
    }

    fn parameters(&self) -> Vec<(&'static str, &Matrix<T>)> {
        [self.forward.parameters(), self.backward.parameters()].concat()
    }

    fn parameters_mut(&mut self) -> Vec<&mut Matrix<T>> {
        let mut both = self.forward.parameters_mut();
        both.append(&mut self.backward.parameters_mut());
        both
    }

    fn states(&self) -> Vec<usize> {
        [self.forward.states(), self.backward.states()].concat()
    }

    fn initial_states(&self) -> Vec<Vec<T>> {
        [self.forward.initial_states(), self.backward.initial_states()].concat()
    }

    fn keeps_time(&self) -> bool {
        self.forward.keeps_time()
    }

    fn forward(&self, input: &PackedSequence<T>, mut pass: Pass<'_, T>) -> ForwardCache<T> {
        let own = pass.initial.len() / 2;
        let f = self.forward.run(input, &pass.initial[..own], pass.training.as_mut());
        let b = self.backward.run(input, &pass.initial[own..], pass.training.as_mut());
        let values = self.merge_mode.merge(&f.output.values, &self.reversed(&b.output.values, input));
        let output = PackedSequence { values, steps: f.output.steps.clone() };
        ForwardCache { output, statistics: Vec::new(), saved: Vec::new(), inner: vec![f, b] }
    }

    fn final_states(&self, input: &PackedSequence<T>, cache: &ForwardCache<T>) -> Vec<Matrix<T>> {
        let [f, b] = &cache.inner[..] else { panic!("the cache is from another layer") };
        [self.forward.final_states(input, f), self.backward.final_states(input, b)].concat()
    }

    fn backward(
        &self,
        input: &PackedSequence<T>,
        cache: &ForwardCache<T>,
        d_output: Matrix<T>,
        d_final: &[Matrix<T>],
    ) -> Gradients<T> {
        let [f, b] = &cache.inner[..] else { panic!("the cache is from another layer") };
        let reversed = self.reversed(&b.output.values, input);
        let [d_f, d_b] = self.merge_mode.split_gradient(&f.output.values, &reversed, &d_output);
        let (final_f, final_b) = d_final.split_at(d_final.len() / 2);
        let mut both = self.forward.backward(input, f, d_f, final_f);
        let mut back = self.backward.backward(input, b, self.reversed(&d_b, input), final_b);
        both.parameters.append(&mut back.parameters);
        both.initial.append(&mut back.initial);
        both.h.append(&mut back.h);
        both.pre_activations.append(&mut back.pre_activations);
        both
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
        let gradient = |layer: &Recurrent<T>, k: usize| {
            layer.gradient_of_frames(input, &cache.inner[k], &gradients.pre_activations[k])
        };
        gradient(&self.forward, 0) + gradient(&self.backward, 1)
    }

    fn forward_reference(
        &self,
        frames: Vec<Vec<T>>,
        states: &mut [Vec<T>],
        observe: Observer<'_, T>,
    ) -> Vec<Vec<T>> {
        let own = states.len() / 2;
        let (states_f, states_b) = states.split_at_mut(own);
        let f = self.forward.forward_reference(frames.clone(), states_f, observe);
        let mut observe_backward = |signal, values: &[T]| match signal {
            Signal::State(k) => observe(Signal::State(own + k), values),
            other => observe(other, values),
        };
        let mut b = self.backward.forward_reference(frames, states_b, &mut observe_backward);
        b.reverse();
        let column = |values: &Vec<T>| Matrix::from_column_slice(values.len(), 1, values);
        let merge = |(f, b)| self.merge_mode.merge(&column(f), &column(b)).as_slice().to_vec();
        f.iter().zip(&b).map(merge).collect()
    }
}

impl Bidirectional<f32> {
    /// Returns both directions, with their own names.
    fn directions(&self, name: &str) -> [(&Recurrent<f32>, String); 2] {
        [(&self.forward, format!("{name}/forward")), (&self.backward, format!("{name}/backward"))]
    }

    /// Returns the record that merges the two directions.
    fn merge_record(&self) -> LayerRecord {
        let units = self.forward.cell.get().hidden_size() as u32;
        let mode = self.merge_mode.code();
        LayerRecord {
            kind: RecordKind::Bidirectional as u8,
            merge_mode: mode as u8,
            input_size: 2 * units,
            units: mode.merged(units),
            output_scale: 1.0,
            ..bytemuck::Zeroable::zeroed()
        }
    }
}

/// Both directions are separate records, marked as such, and the record that merges them follows.
impl Export for Bidirectional<f32> {
    fn kinds() -> Vec<RecordKind> {
        vec![RecordKind::Bidirectional]
    }

    fn check_export(&self) -> Result<()> {
        self.forward.check_export()
    }

    fn export_float<N: FloatWeights>(&self, name: &str) -> Result<Vec<PackedLayer<N::Weight>>> {
        let records = self.directions(name).map(|(layer, name)| layer.packed::<N>(&name));
        let mut records = records.into_iter().collect::<Result<Vec<_>>>()?;
        records.iter_mut().for_each(|packed| packed.record.flags |= DIRECTION);
        records.push(PackedLayer::new(self.merge_record(), Vec::new(), name));
        Ok(records)
    }

    fn integer_form(&self, name: &str) -> Result<Vec<Layer<f32>>> {
        self.forward.check_integer()?;
        self.backward.check_integer()?;
        Ok(vec![Layer { name: name.to_owned(), kind: Kind::Bidirectional(self.clone()) }])
    }

    fn input_stage(&self, _: &str) -> Result<InputStage<'_>> {
        Ok(InputStage::Inner)
    }

    fn export_int(&self, name: &str, site: Site<'_>) -> Result<IntLayer> {
        let mut records = Vec::new();
        let mut unit = full_scale(site.frac);
        for (layer, name) in self.directions(name) {
            let (mut packed, own) = layer.packed_int(site, &name)?;
            unit = own;
            packed.record.flags |= DIRECTION;
            records.push(packed);
        }
        let merged = self.merge_mode.unit(unit, site.frac);
        let frac = site.frac as u8;
        let record = LayerRecord { output_scale: merged as f32, frac, ..self.merge_record() };
        records.push(PackedLayer::new(record, Vec::new(), name));
        Ok((records, merged))
    }

    fn gates(&self) -> usize {
        self.forward.gates()
    }

    fn fold_role(&self) -> FoldRole {
        FoldRole::Other
    }

    fn absorb_before(&mut self, affine: &Affine) -> bool {
        self.forward.absorb_before(affine) && self.backward.absorb_before(affine)
    }

    fn absorb_after(&mut self, _: &FoldRole) -> bool {
        false
    }

    fn read<N: FloatWeights>(stored: &Stored<'_, N>, before: &mut Vec<Layer<f32>>) -> Result<Self> {
        let mode = MergeCode::from_code(stored.record.merge_mode).and_then(MergeMode::of);
        let merge_mode = mode.context("unknown merge mode")?;
        let mut direction = || match before.pop().map(|layer| layer.kind) {
            Some(Kind::Recurrent(layer)) => Ok(layer),
            _ => bail!("it does not follow two directions"),
        };
        let (backward, forward) = (direction()?, direction()?);
        Ok(Self { forward, backward, merge_mode })
    }

    fn summarize(record: &LayerRecord) -> RecordSummary {
        let mode = MergeCode::from_code(record.merge_mode).and_then(MergeMode::of);
        RecordSummary {
            keras_name: "Bidirectional",
            merge_mode: mode.map(MergeMode::keras_name),
            ..RecordSummary::default()
        }
    }
}
