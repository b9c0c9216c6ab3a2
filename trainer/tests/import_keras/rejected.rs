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
    ("branch.keras", "gru: inbound_nodes input_layer_1: lstm reads it too, branches are not supported"),
    ("conv.keras", "conv: kernel_size [2]: only 1 is supported"),
    ("custom.keras", "dense: activation function mine: unknown"),
    ("flatten.keras", "flatten: class_name Flatten: only supported for one time step"),
    ("half.keras", "half: dtype DTypePolicy mixed_float16: only float32 is supported"),
    ("lambda.keras", "twice: class_name Lambda: not supported"),
    ("lora.keras", "lora: lora_rank 1: only plain float weights are supported"),
    ("mask_late.keras", "late: class_name Masking: only supported as the first layer, over a time axis"),
    (
        "mask_not_turned.keras",
        "turned: go_backwards true: not supported with return_sequences after a mask, which Keras does not \
         reverse",
    ),
    ("nested.keras", "inner: class_name Functional: only Sequential models can be nested"),
    ("not_mirrored.keras", "pair: backward_layer: activation: differs from the forward layer"),
    ("own_mask.keras", "any_11: class_name Any: not part of a mask"),
    ("quantized.keras", "quantized: dtype QuantizedDTypePolicy: only float32 is supported"),
    ("rnn_of_cells.keras", "cells: class_name RNN: not supported"),
    ("shared.keras", "output_layers: twice 1 0: only layers that are used once are supported"),
    ("skip.keras", "cat: inbound_nodes: 2 inputs, only one is supported"),
    ("state_given.keras", "decoder: inbound_nodes: initial_state [encoder, encoder]: unknown"),
    ("state_used.keras", "of_h: inbound_nodes: states 0 1: only the first output is supported"),
    (
        "stateful.keras",
        "stateful: stateful true: not supported in a layer that runs backwards, which starts at the end of \
         each sequence",
    ),
    ("training.keras", "always: inbound_nodes: training true: only inference is supported"),
    ("two_inputs.keras", "input_layers: 2 layers, only one is supported"),
    ("two_outputs.keras", "output_layers: 2 layers, only one is supported"),
    ("two_outputs_of_one.keras", "output_layers: 2 layers, only one is supported"),
    ("mask_alone.keras", "masking: class_name Masking: not supported without a recurrent layer after it"),
    (
        "weights_alone.h5",
        "model_config: missing: the file contains weights only; save the model with model.save(FILE)",
    ),
    (
        "masked_maximum.keras",
        "pool: class_name GlobalMaxPooling1D: not supported after a mask, which not all versions of Keras \
         pass on",
    ),
    ("masked_sum.keras", "logical_or: inbound_nodes: 2 inputs, only one is supported"),
    (
        "sum_of_both.keras",
        "add: a residual connection is not supported in a model with both, which runs backwards or masks \
         time steps",
    ),
    ("broadcast_sum.keras", "add: inbound_nodes input_layer_1: another shape"),
    ("kept_axis.keras", "pool: keepdims true: only supported for one time step"),
    ("two_tensors.keras", "add: inbound_nodes a: the sum of an output with itself is not supported"),
    ("divided.keras", "true_divide: 1 divided by the input: not supported"),
    (
        "masked_arithmetic.keras",
        "multiply: class_name Multiply: not supported after a mask, which not all versions of Keras pass on",
    ),
    ("first_step.keras", "get_item: index [__slice__, 0]: only the last time step, [:, -1], is supported"),
    (
        "last_features.keras",
        "get_item_1: index [__slice__, __slice__, -1]: only the last time step, [:, -1], is supported",
    ),
    (
        "last_of_both.keras",
        "get_item_2: index [:, -1] of both: not supported, as its backward layer has seen one time step \
         there; return_sequences=False returns the final states",
    ),
    (
        "last_of_masked.keras",
        "get_item_4: index [:, -1]: not supported after a mask, as Keras's GPU kernels return zeros at \
         masked frames",
    ),
    ("last_of_none.keras", "get_item_3: index [:, -1]: not supported without a recurrent layer before it"),
    (
        "masked_nested.keras",
        "inner: class_name Sequential: not supported after a mask, which not all versions of Keras pass on",
    ),
    (
        "nested_mask.keras",
        "inner: class_name Sequential: not supported after a mask, which not all versions of Keras pass on",
    ),
    (
        "masked_mean.keras",
        "pool: class_name GlobalAveragePooling1D: not supported after a mask, which not all versions of \
         Keras pass on",
    ),
    ("normalized_times.keras", "n: axis [1, 2]: only the last axis or none is supported"),
    ("permute.keras", "p: dims [2, 1]: only the same order is supported"),
    (
        "repeat.keras",
        "repeat: n 4: only 1 is supported, as a model has no more outputs than inputs in time; an encoder \
         and a decoder, trained with ernn, generate sequences",
    ),
    (
        "rescaled_late.keras",
        "r: class_name Rescaling: not supported after a mask, which not all versions of Keras pass on",
    ),
    ("reshape.keras", "r: target_shape [2, 5]: only the same frames are supported"),
    (
        "stateful_both.keras",
        "both: stateful true: not supported in a Bidirectional, which starts at both ends of each sequence",
    ),
    (
        "step_again.keras",
        "step: class_name RepeatVector: not supported after the last time step of a sequence",
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
