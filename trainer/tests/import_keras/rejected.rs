//! Unsupported models, each with its error line.

use embedded_rnn::F32;
use embedded_rnn_trainer::import::keras;

use crate::golden::members;

/// Imports a file, and returns the error without the name of the file, or "imported".
pub fn error_of(bytes: Vec<u8>) -> String {
    let read = keras::read(bytes, "file").and_then(|imported| imported.write::<F32>());
    match read {
        Ok(_) => "imported".to_owned(),
        Err(error) => format!("{error:#}"),
    }
}

/// The models of `rejected.zip.gz`, with their errors.
const REJECTED: &[(&str, &str)] = &[
    ("branch.keras", "add: inbound_nodes: 2 inputs, only one is supported"),
    ("conv.keras", "conv: class_name Conv1D: not supported"),
    ("custom.keras", "dense: activation function mine: unknown"),
    ("flatten.keras", "flatten: class_name Flatten: not supported"),
    ("half.keras", "half: dtype DTypePolicy mixed_float16: only float32 is supported"),
    ("lambda.keras", "twice: class_name Lambda: not supported"),
    ("lora.keras", "lora: lora_rank 1: only plain float weights are supported"),
    ("mask_late.keras", "late: class_name Masking: only supported as the first layer, over a time axis"),
    (
        "mask_not_turned.keras",
        "turned: go_backwards true: not supported with return_sequences after a mask, which Keras does not \
         reverse",
    ),
    ("nested.keras", "inner: class_name Sequential: a nested model is not supported"),
    ("not_mirrored.keras", "pair: backward_layer: activation: differs from the forward layer"),
    ("own_mask.keras", "any_4: class_name Any: not part of a mask"),
    ("quantized.keras", "quantized: dtype QuantizedDTypePolicy: only float32 is supported"),
    ("rnn_of_cells.keras", "cells: class_name RNN: not supported"),
    ("shared.keras", "output_layers: twice 1 0: only layers that are used once are supported"),
    ("skip.keras", "cat: inbound_nodes: 2 inputs, only one is supported"),
    ("state_given.keras", "decoder: inbound_nodes: initial_state [encoder, encoder]: unknown"),
    ("state_used.keras", "of_h: inbound_nodes: states 0 1: only the first output is supported"),
    ("stateful.keras", "stateful: stateful true: state that outlives its sequence is not supported"),
    ("training.keras", "always: inbound_nodes: training true: only inference is supported"),
    ("two_inputs.keras", "input_layers: 2 layers, only one is supported"),
    ("two_outputs.keras", "output_layers: 2 layers, only one is supported"),
    ("two_outputs_of_one.keras", "output_layers: 2 layers, only one is supported"),
    ("mask_alone.keras", "masking: class_name Masking: not supported without a recurrent layer after it"),
    (
        "weights_alone.h5",
        "model_config: missing: the file contains weights only; save the model with model.save(FILE)",
    ),
    ("zeros_at_the_end.keras", "zeros: zero_output_for_mask true: not supported after a mask"),
    ("cyclic_links.h5", "lstm: /model_weights/lstm/seq/lstm/lstm_cell/kernel: group not found: lstm"),
    ("external_link.h5", "lstm: model_weights: /model_weights/lstm: group not found: lstm"),
    (
        "gzip_bomb.h5",
        "lstm: /model_weights/lstm/seq/lstm/lstm_cell/kernel: invalid data: chunk at offsets [0, 0] decoded \
         to 97 bytes, expected 96 bytes",
    ),
    (
        "huge_array.h5",
        "lstm: /model_weights/lstm/seq/lstm/lstm_cell/kernel: shape [1099511627776, 12], expected [2, 12] \
         by the config",
    ),
    (
        "huge_as_it_says.h5",
        "lstm: /model_weights/lstm/seq/lstm/lstm_cell/kernel: too many values for a file of 14752 bytes",
    ),
    ("soft_link_to_itself.h5", "lstm: model_weights: /model_weights/lstm: group not found: lstm"),
    (
        "text_bomb.h5",
        "lstm: model_weights: /model_weights/lstm: weight_names: more than 16777216 bytes of strings in the \
         file",
    ),
];

#[test]
fn unsupported_models_are_rejected_with_the_reason() {
    let members = members("rejected");
    assert_eq!(members.len(), REJECTED.len());
    for (name, reason) in REJECTED {
        assert_eq!(error_of(members[*name].clone()), *reason, "{name}");
    }
}
