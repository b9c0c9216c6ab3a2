//! Model files compared with Keras: every case, packed in each dtype, on every backend of this machine.
//!
//! Each sequence is run in one call and, if the model supports it, time step by time step. Models with a mask
//! run each sequence with and without its masked time steps.

use std::collections::BTreeMap;

use embedded_rnn::format::{Activation, LayerRecord};
use embedded_rnn::{Backend, F16, F32, I8, Kind as Code, Model, Number};

use crate::files::{is_recurrent, widened};
use crate::running::{bits, model};
use crate::session::{Found, files, found, given};
use crate::{OUTPUTS_F32, Worst};

#[test]
fn the_outputs_of_f32_models_match_keras() {
    // The worst of backends without and with fused multiply-add.
    let mut worst = [Worst::default(), Worst::default()];
    for (case, file) in files::<F32>(&[]) {
        for backend in Backend::all() {
            let model = model::<F32>(&file, backend);
            let worst = &mut worst[usize::from(backend.is_fused())];
            for (s, given) in given(&case).iter().enumerate() {
                let place = format!("{}, sequence {s} on {}", case.name, backend.name());
                let found = found(&model, given);
                worst.compare(&found.output, &given.output, &place);
                for (state, golden) in found.states.iter().zip(given.finals.iter().flatten()) {
                    worst.compare(state, golden.as_slice(), &format!("{place}, final state"));
                }
            }
        }
    }
    worst.into_iter().for_each(|worst| worst.assert_within(OUTPUTS_F32));
}

#[test]
fn f16_models_have_the_bits_of_f32_models_with_the_same_weights() {
    for (case, half) in files::<F16>(&[]) {
        let single = widened(&half);
        for backend in Backend::all() {
            for given in &given(&case) {
                let half = found(&model::<F16>(&half, backend), given);
                let single = found(&model::<F32>(&single, backend), given);
                assert_eq!(bits(&half.output), bits(&single.output), "{}", case.name);
                assert_eq!(half.states, single.states, "{}", case.name);
            }
        }
    }
}

/// The largest error as a share of the largest value.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    error: f64,
    range: f64,
}

impl Share {
    fn compare(&mut self, found: &[f64], golden: &[f32]) {
        assert_eq!(found.len(), golden.len());
        for (found, &golden) in found.iter().zip(golden) {
            self.error = self.error.max((found - f64::from(golden)).abs());
            self.range = self.range.max(f64::from(golden).abs());
        }
    }

    fn get(self) -> f64 {
        self.error / self.range.max(f64::MIN_POSITIVE)
    }
}

/// The classes of integer models by error. The allowed shares of outputs and of final states are a fifth
/// above the worst of the class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// Models with a SimpleRNN. The worst are two stacked ones: 0.041 and 0.041. Weights up to 2 amplify an
    /// error at every time step.
    SimpleRnn,
    /// Models with LSTM or GRU. The worst are bidirectional_lstm_ave with 0.016, and two stacked GRU that
    /// reset before, with 0.012.
    Gated,
    /// Models without a recurrent layer. The worst is dense_softsign with 0.0103: its pre-activations are off
    /// by 0.0037 of their range, half a step of 127, and this range is far wider than that of softsign.
    Stateless,
    /// Models with hard_shrink. The function jumps by a half, and the rounding of an input may cross the
    /// jump: 0.089 of the largest output.
    HardShrink,
}

impl Class {
    fn of<N: Number>(model: &Model<'_, N>) -> Self {
        let is = |test: &dyn Fn(&LayerRecord) -> bool| model.layers().iter().any(test);
        if is(&|record| record.activation == Activation::HardShrink as u8) {
            return Self::HardShrink;
        }
        match (is(&is_recurrent), is(&|record| record.kind == Code::SimpleRnn as u8)) {
            (false, _) => Self::Stateless,
            (_, true) => Self::SimpleRnn,
            (_, false) => Self::Gated,
        }
    }

    fn allowed(self) -> [f64; 2] {
        match self {
            Self::SimpleRnn => [0.05, 0.05],
            Self::Gated => [0.0296, 0.0248],
            Self::Stateless => [0.0124, 0.0],
            Self::HardShrink => [0.107, 0.0],
        }
    }
}

/// Cases without an integer form: one that has only the conversion of inputs, and unsupported activations.
const NOT_IN_I8: &[(&str, &str)] = &[
    ("batch_normalization", "layer 1: this kind cannot stand here"),
    ("activation_sequences", "simple_rnn: activation softsign: 8-bit cells do not support it"),
    ("dense_log_softmax", "dense: activation log_softmax: integers do not support it"),
    ("gru_before_elu", "gru: activation elu: 8-bit cells do not support it"),
    ("gru_softsign", "gru: activation softsign: 8-bit cells do not support it"),
    ("lstm_hard_sigmoid_state", "lstm: activation hard_sigmoid: 8-bit cells do not support it"),
    ("lstm_hard_tanh_sequences", "lstm: activation hard_tanh: 8-bit cells do not support it"),
    ("lstm_softsign", "lstm: activation softsign: 8-bit cells do not support it"),
    ("simple_rnn_hard_tanh", "simple_rnn: activation hard_tanh: 8-bit cells do not support it"),
];

#[test]
fn the_outputs_of_i8_models_are_close_to_keras_and_have_the_same_bits_on_every_backend() {
    let mut worst = BTreeMap::<Class, [(f64, String); 2]>::new();
    for (case, file) in files::<I8>(NOT_IN_I8) {
        let mut shares = [Share::default(); 2];
        let specified = model::<I8>(&file, Backend::portable());
        for given in &given(&case) {
            let Found { output, states } = found(&specified, given);
            for backend in Backend::all() {
                let found = found(&specified.with_backend(backend), given);
                assert_eq!((&found.output, &found.states), (&output, &states), "{}", case.name);
            }
            let real = |y: &i32| f64::from(*y) * f64::from(specified.output_scale());
            shares[0].compare(&output.iter().map(real).collect::<Vec<_>>(), &given.output);
            for (state, golden) in states.iter().zip(given.finals.iter().flatten()) {
                let state: Vec<f64> = state.iter().map(|&v| v.into()).collect();
                shares[1].compare(&state, golden.as_slice());
            }
        }
        let class = Class::of(&specified);
        for (worst, share) in worst.entry(class).or_default().iter_mut().zip(shares) {
            if share.get() > worst.0 {
                *worst = (share.get(), case.name.clone());
            }
        }
    }
    assert_eq!(worst.len(), 4);
    println!("{worst:?}");
    for (class, worst) in &worst {
        for ((share, case), allowed) in worst.iter().zip(class.allowed()) {
            assert!(*share <= allowed, "{class:?}: {share}, allowed: {allowed}: {case}");
        }
    }
}
