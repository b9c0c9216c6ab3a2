//! One row of the table of layers, and the codes in it.

use bytemuck::{Pod, Zeroable};

/// The bytes of a layer record.
pub const RECORD_LEN: usize = size_of::<LayerRecord>();

/// Flag of a recurrent layer that returns its output at every time step, not at the last one only.
pub const RETURN_SEQUENCES: u8 = 1;
/// Flag of a recurrent layer that runs backwards; its outputs come in the order in which they are computed.
pub const GO_BACKWARDS: u8 = 2;
/// Flag of the two directions of a Bidirectional, whose record follows those of the two.
pub const DIRECTION: u8 = 4;
/// Flag of a first layer that masks time steps: these leave every state as it is.
pub const MASKS: u8 = 8;
/// Flag of a recurrent layer whose initial state is not zeros; it lies at the end of the layer's weights.
pub const INITIAL_STATE: u8 = 16;
/// Flag of an integer recurrent layer whose rows have one scale for its input and one for its state.
pub const SEPARATE_SCALES: u8 = 32;

/// A layer as the runtime uses it, in place: kind, sizes, scales. Names are in the header.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct LayerRecord {
    /// Code of the [`Kind`](crate::layers::Kind).
    pub kind: u8,
    /// Code of the [`Activation`].
    pub activation: u8,
    /// Code of the gates' [`Activation`] in cells that have gates.
    pub recurrent_activation: u8,
    /// [`RETURN_SEQUENCES`], [`GO_BACKWARDS`], [`DIRECTION`], [`MASKS`], [`INITIAL_STATE`],
    /// [`SEPARATE_SCALES`]; no other bit is in use.
    pub flags: u8,
    /// Input values per time step.
    pub input_size: u32,
    /// Output values per time step.
    pub units: u32,
    /// Bytes of its weights.
    pub weights_len: u32,
    /// i8: fraction bits of an output (INTEGER.md).
    pub frac: u8,
    /// i8 Activation, BatchNormalization: fraction bits of an input; 0 in others.
    pub input_frac: u8,
    /// i8 LSTM: fraction bits of the cell state.
    pub cell_frac: u8,
    /// Bidirectional: code of the [`MergeMode`]; 0 in others.
    pub merge_mode: u8,
    /// i8: real value of one unit of the output.
    pub output_scale: f32,
    /// Embedding: the number of ids. Add: the number of layers that it spans. 0 in others.
    pub input_dim: u32,
    /// Dense, Activation: the slope of leaky_relu below 0, or the alpha of elu; 0 stands for the default
    /// parameter of the function. 0 in others.
    pub activation_parameter: f32,
}

impl LayerRecord {
    /// Returns `true` if the next layer has the output of every time step as its input.
    pub fn return_sequences(&self) -> bool {
        self.flags & RETURN_SEQUENCES != 0
    }

    /// Returns `true` if the layer runs backwards.
    pub fn go_backwards(&self) -> bool {
        self.flags & GO_BACKWARDS != 0
    }

    /// Returns `true` if the layer is one of the two directions of a Bidirectional.
    pub fn is_direction(&self) -> bool {
        self.flags & DIRECTION != 0
    }

    /// Returns `true` if the layer masks time steps.
    pub fn masks(&self) -> bool {
        self.flags & MASKS != 0
    }

    /// Returns `true` if the initial state of the layer is not zeros.
    pub fn has_initial_state(&self) -> bool {
        self.flags & INITIAL_STATE != 0
    }

    /// Returns `true` if the rows have one scale for the input and one for the state.
    pub fn has_separate_scales(&self) -> bool {
        self.flags & SEPARATE_SCALES != 0
    }

    /// Returns the input size as an index.
    pub fn input_size(&self) -> usize {
        self.input_size as usize
    }

    /// Returns the units as an index.
    pub fn units(&self) -> usize {
        self.units as usize
    }
}

macro_rules! activations {
    ($($(#[$doc:meta])* $activation:ident = $code:literal,)*) => {
        /// The function applied to a pre-activation; names and default parameters are Keras's.
        #[non_exhaustive]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Activation { $($(#[$doc])* $activation = $code,)* }

        impl Activation {
            /// Returns the activation whose code is `code`.
            pub const fn from_code(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(Activation::$activation),)*
                    _ => None,
                }
            }
        }
    };
}

activations! {
    /// `x`
    Linear = 0,
    /// `max(x, 0)`
    Relu = 1,
    /// `tanh(x)`
    Tanh = 2,
    /// `1 / (1 + exp(-x))`
    Sigmoid = 3,
    /// `exp(x_i) / sum_j exp(x_j)`, over the units of a layer.
    Softmax = 4,
    /// `clip(x / 6 + 1/2, 0, 1)`, as in Keras 3 and PyTorch.
    HardSigmoid = 5,
    /// `clip(x / 5 + 1/2, 0, 1)`, as in Keras 1 and 2.
    HardSigmoidKeras1 = 6,
    /// [`Tanh`](Self::Tanh) of a wide pre-activation, one that can be very large: i8 only, 12 fraction bits
    /// (INTEGER.md).
    TanhWide = 7,
    /// [`Sigmoid`](Self::Sigmoid) of a wide pre-activation: i8 only, 12 fraction bits.
    SigmoidWide = 8,
    /// `clip(x, 0, 6)`
    Relu6 = 9,
    /// `x`, or `slope x` below 0; the default slope is 1/5.
    LeakyRelu = 10,
    /// `x`, or `alpha (exp(x) - 1)` below 0; the default alpha is 1.
    Elu = 11,
    /// `1.0507 x`, or `1.0507 * 1.67326 (exp(x) - 1)` below 0.
    Selu = 12,
    /// `exp(x)`
    Exponential = 13,
    /// `log(1 + exp(x))`
    Softplus = 14,
    /// `x / (1 + |x|)`
    Softsign = 15,
    /// `x sigmoid(x)`
    Silu = 16,
    /// `x clip(x / 6 + 1/2, 0, 1)`
    HardSilu = 17,
    /// `x Phi(x)`, Phi the distribution function of the normal distribution.
    Gelu = 18,
    /// `x tanh(softplus(x))`
    Mish = 19,
    /// `-softplus(-x)`
    LogSigmoid = 20,
    /// `clip(x, -1, 1)`
    HardTanh = 21,
    /// `x`, or 0 within +-1/2.
    HardShrink = 22,
    /// `x` moved by 1/2 towards 0, or 0 within +-1/2.
    SoftShrink = 23,
    /// `x - tanh(x)`
    TanhShrink = 24,
    /// `(x + sqrt(x^2 + 4)) / 2`
    Squareplus = 25,
    /// 0 below -1, `(x + 1)^2 / 4` up to 1, `x` beyond.
    SparsePlus = 26,
    /// `clip((x + 1) / 2, 0, 1)`
    SparseSigmoid = 27,
    /// `x_i - log sum_j exp(x_j)`, over the units of a layer.
    LogSoftmax = 28,
}

impl Activation {
    /// The activations of single units in float models.
    pub const ELEMENTWISE: &'static [Self] = &[
        Self::Linear,
        Self::Relu,
        Self::Tanh,
        Self::Sigmoid,
        Self::HardSigmoid,
        Self::HardSigmoidKeras1,
        Self::Relu6,
        Self::LeakyRelu,
        Self::Elu,
        Self::Selu,
        Self::Exponential,
        Self::Softplus,
        Self::Softsign,
        Self::Silu,
        Self::HardSilu,
        Self::Gelu,
        Self::Mish,
        Self::LogSigmoid,
        Self::HardTanh,
        Self::HardShrink,
        Self::SoftShrink,
        Self::TanhShrink,
        Self::Squareplus,
        Self::SparsePlus,
        Self::SparseSigmoid,
    ];

    /// Returns the factor of its rows in a file (FORMAT.md): a sigmoid is computed as a tanh of the half, and
    /// a hard sigmoid has its slope in its weights.
    #[inline(always)]
    pub const fn fold(self) -> f32 {
        match self {
            Self::Sigmoid => 0.5,
            Self::HardSigmoid => 1.0 / 6.0,
            Self::HardSigmoidKeras1 => 0.2,
            _ => 1.0,
        }
    }

    /// Returns `true` if the activation with this code has a parameter
    /// ([`LayerRecord::activation_parameter`]).
    pub const fn has_parameter(code: u8) -> bool {
        code == Self::LeakyRelu as u8 || code == Self::Elu as u8
    }

    /// Returns `true` if the code is that of an extended activation: not linear, relu, tanh, a sigmoid or
    /// softmax. A build whose models have none links none.
    pub const fn is_extended(code: u8) -> bool {
        code >= Self::Relu6 as u8 && Self::from_code(code).is_some()
    }
}

/// The merge of the two outputs of a Bidirectional, f of the forward direction and b of the backward one;
/// names are Keras's.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum MergeMode {
    /// b's values after f's.
    Concat = 1,
    /// `f + b`
    Sum = 2,
    /// `(f + b) / 2`
    Ave = 3,
    /// `f b`
    Mul = 4,
}

impl MergeMode {
    /// Returns the mode whose code is `code`.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(MergeMode::Concat),
            2 => Some(MergeMode::Sum),
            3 => Some(MergeMode::Ave),
            4 => Some(MergeMode::Mul),
            _ => None,
        }
    }

    /// Returns the merged values of two directions of `units` each.
    pub const fn merged(self, units: u32) -> u32 {
        match self {
            MergeMode::Concat => units.saturating_mul(2),
            _ => units,
        }
    }
}
