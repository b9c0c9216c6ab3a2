//! The keys of the layers.

use super::{Key, Section, key};

const NAME: Key = key("name", "the type in lower case, numbered", "text", "the name of the layer");
const UNITS: Key = key("units", "required", "features", "the outputs per time step");
const USE_BIAS: Key = key("use_bias", "true", "true, false", "whether the layer has biases");
const EPSILON: Key = key("epsilon", "0.001", "variance", "what is added to the variance before the division");

const NAMED: &[Key] = &[NAME];

const CELL: &[Key] = &[
    NAME,
    UNITS,
    key("activation", "`\"tanh\"`", "name", "the activation of the candidate, and of the output of an LSTM"),
    USE_BIAS,
    key(
        "dropout",
        "0",
        "share, 0 to 1",
        "the share of the inputs that training drops, the same features at all time steps of a sequence",
    ),
    key(
        "return_sequences",
        "false",
        "true, false",
        "whether every time step has an output, not the last alone",
    ),
    key("go_backwards", "false", "true, false", "whether the layer runs backwards"),
];

const GATES: Key = key("recurrent_activation", "`\"sigmoid\"`", "name", "the activation of the gates");

const LSTM: &[Key] = &[
    GATES,
    key("unit_forget_bias", "true", "true, false", "whether the bias of the forget gate starts at 1"),
];

const GRU: &[Key] = &[
    GATES,
    key("reset_after", "true", "true, false", "whether the reset gate follows the recurrent product"),
];

const BIDIRECTIONAL: &[Key] = &[
    NAME,
    key("layer", "required", "table", "the LSTM, GRU or SimpleRNN that runs in both directions"),
    key("merge_mode", "`\"concat\"`", "name", "`concat`, `sum`, `ave` or `mul`"),
];

const DENSE: &[Key] = &[NAME, UNITS, key("activation", "`\"linear\"`", "name", "the activation"), USE_BIAS];

const ACTIVATION: &[Key] = &[NAME, key("activation", "required", "name", "the activation")];

const EMBEDDING: &[Key] = &[
    NAME,
    key("input_dim", "required", "ids", "the number of ids, which are below it"),
    key("output_dim", "required", "features", "the values per id"),
    key("mask_zero", "false", "true, false", "whether id 0 marks a masked time step"),
];

const MASKING: &[Key] =
    &[NAME, key("mask_value", "0", "unit of the inputs", "the value of all features of a masked time step")];

const BATCH_NORMALIZATION: &[Key] = &[
    NAME,
    key("momentum", "0.99", "share, 0 to 1", "the share of the moving statistics that remains per update"),
    EPSILON,
];

const LAYER_NORMALIZATION: &[Key] = &[NAME, EPSILON];

const ADD: &[Key] =
    &[NAME, key("span", "1", "layers", "the layers before this one that are spanned, at most 15")];

const DROPOUT: &[Key] =
    &[NAME, key("rate", "required", "share, 0 to 1", "the share of the values that is dropped")];

/// Builds the section of a type of layer.
const fn layer(head: &'static str, about: &'static str, keys: &'static [&'static [Key]]) -> Section {
    Section { head, about, keys }
}

pub(super) const LAYERS: &[Section] = &[
    layer("type = \"LSTM\"", "Long short-term memory", &[CELL, LSTM]),
    layer("type = \"GRU\"", "A gated recurrent unit", &[CELL, GRU]),
    layer("type = \"SimpleRNN\"", "A recurrent layer without gates", &[CELL]),
    layer("type = \"Bidirectional\"", "A recurrent layer in both directions", &[BIDIRECTIONAL]),
    layer("type = \"Dense\"", "A fully connected layer", &[DENSE]),
    layer("type = \"Activation\"", "An activation", &[ACTIVATION]),
    layer("type = \"Embedding\"", "A vector per id; first layer only", &[EMBEDDING]),
    layer("type = \"Masking\"", "Masks time steps; first layer only", &[MASKING]),
    layer(
        "type = \"Normalization\"",
        "Normalizes the inputs by mean and variance of the training data; first layer, or second after \
         a Masking",
        &[NAMED],
    ),
    layer("type = \"BatchNormalization\"", "Normalizes by moving statistics", &[BATCH_NORMALIZATION]),
    layer("type = \"LayerNormalization\"", "Normalizes over the features", &[LAYER_NORMALIZATION]),
    layer("type = \"GlobalMaxPooling1D\"", "The maxima over the time steps of a sequence", &[NAMED]),
    layer("type = \"GlobalAveragePooling1D\"", "The means over the time steps of a sequence", &[NAMED]),
    layer("type = \"Add\"", "A residual connection", &[ADD]),
    layer("type = \"Dropout\"", "Drops values in training", &[DROPOUT]),
];
