//! Models that are refused, each with the line that says why.

use embedded_rnn::F32;
use embedded_rnn_trainer::import::keras;

use crate::golden::members;

/// What is said of a file, without its name.
pub fn refusal(bytes: Vec<u8>) -> String {
    let read = keras::read(bytes, "file").and_then(|imported| imported.write::<F32>());
    match read {
        Ok(_) => "read".to_owned(),
        Err(error) => format!("{error:#}"),
    }
}

/// Models of `refused.zip.gz`, and what is said of each.
const REFUSED: &[(&str, &str)] = &[
    ("branch.keras", "add: inbound_nodes: 2 inputs, and only one is read"),
    ("conv.keras", "conv: class_name Conv1D: not read"),
    ("custom.keras", "dense: activation function mine: not known"),
    ("flatten.keras", "flatten: class_name Flatten: not read"),
    ("half.keras", "half: dtype DTypePolicy mixed_float16: only float32 is read"),
    ("lambda.keras", "twice: class_name Lambda: not read"),
    ("lora.keras", "lora: lora_rank 1: only plain weights are read"),
    ("mask_late.keras", "late: class_name Masking: only read where frames come in, as the first layer"),
    (
        "mask_not_turned.keras",
        "turned: go_backwards true: with return_sequences not read behind a mask, which Keras does not turn round",
    ),
    ("nested.keras", "inner: class_name Sequential: a model inside a model is not read"),
    ("not_mirrored.keras", "pair: backward_layer: activation: not that of the other layer"),
    ("own_mask.keras", "any_4: class_name Any: not part of a mask"),
    ("quantized.keras", "quantized: dtype QuantizedDTypePolicy: only float32 is read"),
    ("rnn_of_cells.keras", "cells: class_name RNN: not read"),
    ("shared.keras", "output_layers: twice 1 0: only layers that are used once are read"),
    ("skip.keras", "cat: inbound_nodes: 2 inputs, and only one is read"),
    ("state_given.keras", "decoder: inbound_nodes: initial_state [encoder, encoder]: not known"),
    ("state_used.keras", "of_h: inbound_nodes: states 0 1: only the first output is read"),
    ("stateful.keras", "stateful: stateful true: a state that outlives its sequence is not read"),
    ("training.keras", "always: inbound_nodes: training true: only use is read"),
    ("two_inputs.keras", "input_layers: 2 of them, and only one is read"),
    ("two_outputs.keras", "output_layers: 2 of them, and only one is read"),
    ("two_outputs_of_one.keras", "output_layers: 2 of them, and only one is read"),
    ("mask_alone.keras", "masking: class_name Masking: not read without a recurrent layer behind it"),
    (
        "weights_alone.h5",
        "model_config: missing: the file holds weights alone; write the model with model.save(FILE)",
    ),
    ("zeros_at_the_end.keras", "zeros: zero_output_for_mask true: not read behind a mask"),
    ("cyclic_links.h5", "lstm: /model_weights/lstm/seq/lstm/lstm_cell/kernel: group not found: lstm"),
    ("external_link.h5", "lstm: model_weights: /model_weights/lstm: group not found: lstm"),
    (
        "gzip_bomb.h5",
        "lstm: /model_weights/lstm/seq/lstm/lstm_cell/kernel: invalid data: chunk at offsets [0, 0] decoded to 97 bytes, expected 96 bytes",
    ),
    (
        "huge_array.h5",
        "lstm: /model_weights/lstm/seq/lstm/lstm_cell/kernel: shape [1099511627776, 12], expected [2, 12] by the config",
    ),
    (
        "huge_as_it_says.h5",
        "lstm: /model_weights/lstm/seq/lstm/lstm_cell/kernel: too many numbers for a file of 14752 bytes",
    ),
    ("soft_link_to_itself.h5", "lstm: model_weights: /model_weights/lstm: group not found: lstm"),
    (
        "text_bomb.h5",
        "lstm: model_weights: /model_weights/lstm: weight_names: more than 16777216 bytes of text in the file",
    ),
];

#[test]
fn models_that_are_refused_say_why() {
    let members = members("refused");
    assert_eq!(members.len(), REFUSED.len());
    for (name, reason) in REFUSED {
        assert_eq!(refusal(members[*name].clone()), *reason, "{name}");
    }
}
