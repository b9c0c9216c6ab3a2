//! Networks that together have every kind of state, and sequences for them.

use embedded_rnn_trainer::layers::{Kind, Module, Recurrent};
use embedded_rnn_trainer::net::Network;
use embedded_rnn_trainer::pack::{AlignedBytes, Random};
use embedded_rnn_trainer::tensor::Matrix;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::running::Session;

pub const TIME: usize = 23;
/// The masked time steps of a network with a mask: the first two, two successive ones, one between others,
/// the last.
const MASKED: [usize; 6] = [0, 1, 7, 12, 13, 22];

/// A chain of layers as in a config. `{last}` is replaced by the option `return_sequences` of the last
/// recurrent layer.
pub struct Stack<'a> {
    pub layers: &'a str,
    /// The layers of a decoder, or empty.
    decoder: &'a str,
    features: usize,
    /// The value of all features of a masked frame.
    mask_value: Option<f32>,
    /// Whether the recurrent layers that read the inputs start from states other than zeros.
    pub has_initial_states: bool,
}

/// The stacks that run step by step.
pub const STEPPING: [Stack<'static>; 12] = [
    Stack::of(
        3,
        "{ type = 'Normalization' }, { type = 'LSTM', units = 9, return_sequences = true },
         { type = 'SimpleRNN', units = 6, return_sequences = true }, { type = 'LSTM', units = 4{last} },
         { type = 'Dense', units = 5, activation = 'softmax' }",
    ),
    Stack::of(
        3,
        "{ type = 'Masking', mask_value = 0.25 },
         { type = 'GRU', units = 9, recurrent_activation = 'hard_sigmoid', return_sequences = true },
         { type = 'BatchNormalization' }, { type = 'LayerNormalization' },
         { type = 'LSTM', units = 5, activation = 'sigmoid'{last} },
         { type = 'Dense', units = 3, activation = 'hard_sigmoid' }",
    )
    .masks(0.25),
    Stack::of(
        1,
        "{ type = 'Embedding', input_dim = 7, output_dim = 5, mask_zero = true },
         { type = 'GRU', units = 5, reset_after = false, activation = 'linear', return_sequences = true },
         { type = 'LSTM', units = 3, activation = 'relu',
           recurrent_activation = 'hard_sigmoid_keras1'{last} }",
    )
    .masks(0.0),
    // A stack without state.
    Stack::of(
        2,
        "{ type = 'Masking' }, { type = 'Dense', units = 6, activation = 'gelu' },
         { type = 'LayerNormalization' }, { type = 'Activation', activation = 'softsign' }",
    )
    .masks(0.0),
    Stack::of(
        3,
        "{ type = 'Masking' }, { type = 'GRU', units = 6, return_sequences = true },
         { type = 'LSTM', units = 5{last} }",
    )
    .masks(0.0)
    .with_decoder(
        "{ type = 'Embedding', input_dim = 7, output_dim = 4 },
         { type = 'GRU', units = 6, recurrent_activation = 'hard_sigmoid', return_sequences = true },
         { type = 'LSTM', units = 5, return_sequences = true },
         { type = 'Dense', units = 7, activation = 'softmax' }",
    ),
    Stack::of(
        1,
        "{ type = 'Embedding', input_dim = 9, output_dim = 3 },
         { type = 'SimpleRNN', units = 5{last} }",
    )
    .with_decoder(
        "{ type = 'Embedding', input_dim = 5, output_dim = 3 },
         { type = 'SimpleRNN', units = 5, activation = 'sigmoid', return_sequences = true }",
    ),
    Stack::of(
        3,
        "{ type = 'Masking' }, { type = 'GRU', units = 6, return_sequences = true },
         { type = 'GlobalAveragePooling1D' }, { type = 'Dense', units = 3, activation = 'softmax' }",
    )
    .masks(0.0),
    Stack::of(
        3,
        "{ type = 'Masking' }, { type = 'LSTM', units = 5, return_sequences = true },
         { type = 'GlobalMaxPooling1D' }",
    )
    .masks(0.0),
    Stack::of(
        3,
        "{ type = 'LSTM', units = 3, return_sequences = true }, { type = 'Add' },
         { type = 'Dense', units = 6, activation = 'tanh' },
         { type = 'GRU', units = 6, return_sequences = true },
         { type = 'LSTM', units = 6, return_sequences = true }, { type = 'Add', span = 2 },
         { type = 'GRU', units = 4{last} }, { type = 'Dense', units = 4 }, { type = 'Add' }",
    ),
    Stack::of(
        3,
        "{ type = 'Masking' }, { type = 'LSTM', units = 9, return_sequences = true },
         { type = 'GRU', units = 6, reset_after = false, return_sequences = true },
         { type = 'SimpleRNN', units = 5, activation = 'linear', return_sequences = true },
         { type = 'Activation', activation = 'elu(0.7)' }, { type = 'GRU', units = 3{last} }",
    )
    .masks(0.0)
    .with_initial_states(),
    Stack::of(
        1,
        "{ type = 'Embedding', input_dim = 9, output_dim = 3, mask_zero = true },
         { type = 'LSTM', units = 5, return_sequences = true },
         { type = 'GRU', units = 4, activation = 'relu'{last} }",
    )
    .masks(0.0)
    .with_initial_states()
    .with_decoder(
        "{ type = 'Embedding', input_dim = 5, output_dim = 3 },
         { type = 'LSTM', units = 5, return_sequences = true },
         { type = 'GRU', units = 4, activation = 'relu', return_sequences = true },
         { type = 'Dense', units = 5, activation = 'softmax' }",
    ),
    Stack::of(
        1,
        "{ type = 'Embedding', input_dim = 9, output_dim = 5 },
         { type = 'GRU', units = 5, return_sequences = true }, { type = 'Add' },
         { type = 'LSTM', units = 5{last} }",
    )
    .with_decoder(
        "{ type = 'Embedding', input_dim = 5, output_dim = 5 },
         { type = 'GRU', units = 5, return_sequences = true },
         { type = 'LSTM', units = 5, return_sequences = true }, { type = 'Add', span = 2 },
         { type = 'Dense', units = 5 }",
    ),
];

/// The stacks that require whole sequences.
pub const WHOLE: [Stack<'static>; 7] = [
    Stack::of(
        3,
        "{ type = 'Normalization' },
         { type = 'Bidirectional', layer = { type = 'LSTM', units = 9, return_sequences = true } },
         { type = 'LayerNormalization' }, { type = 'GRU', units = 5{last} },
         { type = 'Dense', units = 4, activation = 'softmax' }",
    ),
    Stack::of(
        3,
        "{ type = 'Masking', mask_value = 0.25 }, { type = 'Dense', units = 5, activation = 'tanh' },
         { type = 'GRU', units = 9, go_backwards = true, return_sequences = true },
         { type = 'SimpleRNN', units = 6, return_sequences = true },
         { type = 'LSTM', units = 5, go_backwards = true{last} }",
    )
    .masks(0.25),
    Stack::of(
        1,
        "{ type = 'Embedding', input_dim = 7, output_dim = 5, mask_zero = true },
         { type = 'Bidirectional', merge_mode = 'mul',
           layer = { type = 'GRU', units = 3, reset_after = false{last} } }",
    )
    .masks(0.0),
    // A stack that stores no sequence, as its one layer returns the last output only.
    Stack::of(2, "{ type = 'LSTM', units = 3, go_backwards = true }"),
    Stack::of(
        2,
        "{ type = 'Masking', mask_value = 0.5 },
         { type = 'GRU', units = 6, go_backwards = true, return_sequences = true },
         { type = 'LSTM', units = 5{last} }",
    )
    .masks(0.5)
    .with_decoder(
        "{ type = 'Embedding', input_dim = 7, output_dim = 4 },
         { type = 'GRU', units = 6, return_sequences = true },
         { type = 'LSTM', units = 5, return_sequences = true }, { type = 'Dense', units = 7 }",
    ),
    Stack::of(
        3,
        "{ type = 'Masking' },
         { type = 'Bidirectional', layer = { type = 'GRU', units = 3, return_sequences = true } },
         { type = 'GlobalMaxPooling1D' }, { type = 'Dense', units = 3 }",
    )
    .masks(0.0),
    Stack::of(
        3,
        "{ type = 'Masking', mask_value = 0.25 },
         { type = 'Bidirectional', layer = { type = 'LSTM', units = 5, return_sequences = true } },
         { type = 'GRU', units = 6, go_backwards = true, return_sequences = true },
         { type = 'SimpleRNN', units = 4, go_backwards = true{last} },
         { type = 'Dense', units = 3, activation = 'leaky_relu(0.3)' }",
    )
    .masks(0.25)
    .with_initial_states(),
];

impl<'a> Stack<'a> {
    pub const fn of(features: usize, layers: &'a str) -> Self {
        Self { layers, decoder: "", features, mask_value: None, has_initial_states: false }
    }

    pub const fn with_initial_states(self) -> Self {
        Self { has_initial_states: true, ..self }
    }

    pub const fn without_initial_states(&self) -> Self {
        Self { has_initial_states: false, ..*self }
    }

    pub const fn masks(self, value: f32) -> Self {
        Self { mask_value: Some(value), ..self }
    }

    pub const fn with_decoder(self, decoder: &'a str) -> Self {
        Self { decoder, ..self }
    }

    /// Returns the network, and frames for it.
    pub fn network(&self, return_sequences: bool) -> (Network<f32>, Vec<f32>) {
        let last = format!(", return_sequences = {return_sequences}");
        let layers = self.layers.replace("{last}", &last);
        let random =
            |layers, input_size, seed| Random { layers, input_size, steps: TIME, seed }.make().unwrap();
        let (mut network, mut frames) = random(&layers, self.features, 5);
        if self.has_initial_states {
            network.layers.iter_mut().for_each(|layer| start(&mut layer.kind));
        }
        if !self.decoder.is_empty() {
            network.decoder = Some(Box::new(random(self.decoder, 1, 6).0));
        }
        if let Some(value) = self.mask_value {
            // Random ids may be equal to the mask value.
            frames.iter_mut().filter(|x| **x == value).for_each(|x| *x = 1.0);
            MASKED.iter().for_each(|t| frames[t * self.features..(t + 1) * self.features].fill(value));
        }
        (network, frames)
    }

    /// Returns whether the time step is not masked.
    pub fn is_unmasked(&self, t: usize) -> bool {
        self.mask_value.is_none() || !MASKED.contains(&t)
    }
}

/// Gives recurrent layers random initial states.
fn start(kind: &mut Kind<f32>) {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut random = |layer: &mut Recurrent<f32>| {
        let states = layer.states().into_iter();
        let state = |size| Matrix::from_fn(size, 1, |_, _| rng.random_range(-0.9..0.9));
        layer.initial_state = states.map(state).collect();
    };
    match kind {
        Kind::Recurrent(layer) => random(layer),
        Kind::Bidirectional(layer) => {
            random(&mut layer.forward);
            random(&mut layer.backward);
        }
        _ => {}
    }
}

/// Returns a stack as a file, and frames for it.
pub fn file<N: Session>(stack: &Stack<'_>, return_sequences: bool) -> (AlignedBytes, Vec<f32>) {
    let (network, frames) = stack.network(return_sequences);
    (AlignedBytes::new(&N::pack(&network, &[&frames]).unwrap()), frames)
}

/// Calls `check` with the model of each stack and inputs for it: in every dtype, with the outputs of all time
/// steps and of the last one, on every backend.
macro_rules! everywhere {
    ($stacks:expr, $check:path) => {
        for stack in &$stacks {
            for return_sequences in [false, true] {
                $crate::stacks::everywhere!(@of F32, stack, return_sequences, $check);
                $crate::stacks::everywhere!(@of F16, stack, return_sequences, $check);
                $crate::stacks::everywhere!(@of I8, stack, return_sequences, $check);
            }
        }
    };
    (@of $number:ident, $stack:ident, $return_sequences:ident, $check:path) => {{
        use embedded_rnn::$number;
        let (file, frames) = $crate::stacks::file::<$number>($stack, $return_sequences);
        for backend in embedded_rnn::Backend::all() {
            let _place =
                $crate::crafted::Place((stringify!($number), backend, $return_sequences, $stack.layers));
            let model = $crate::running::model::<$number>(&file, backend);
            $check($stack, &model, &<$number as $crate::running::Session>::inputs(&model, &frames));
        }
    }};
}
pub(crate) use everywhere;
