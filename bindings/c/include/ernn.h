// embedded-rnn: recurrent networks on microcontrollers and edge CPUs. MIT or Apache-2.0.
//
// Made by `cargo xtask c --write` from bindings/c/src.
//
// All memory is the caller's: the model's bytes, the handles, the RAM of a state, every buffer. Nothing is
// allocated and there are no globals. Two threads can share a model, not a state.
//
// Every call checks its arguments and returns a status. It cannot see whether memory is there, so each pointer
// is null or points to as many values as the length beside it states, or to one value. The bytes of a model stay
// unchanged while it is used, and the RAM of a state is left alone while the state is used. A handle is plain
// memory: there is nothing to close.

#ifndef ERNN_H
#define ERNN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Result of a call: `ERNN_OK`, or the reason why it was rejected. A rejected call changes nothing but the
// buffers that it was to fill.
enum ernn_status_t
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Success.
  ERNN_OK = 0,
  // A pointer is null.
  ERNN_ERROR_NULL = 1,
  // A pointer is not aligned for its type, or the model's bytes or the RAM are not aligned to 4.
  ERNN_ERROR_ALIGNMENT = 2,
  // A buffer overlaps one that the call writes.
  ERNN_ERROR_OVERLAP = 3,
  // A handle was not initialized.
  ERNN_ERROR_HANDLE = 4,
  // The bytes are not a model file.
  ERNN_ERROR_NOT_A_MODEL = 5,
  // The model file has another version than this library reads.
  ERNN_ERROR_VERSION = 6,
  // The bytes end before the model file does.
  ERNN_ERROR_TRUNCATED = 7,
  // The CRC-32 of the model file is wrong.
  ERNN_ERROR_CHECKSUM = 8,
  // The model has another dtype than the function, or one that is not linked.
  ERNN_ERROR_DTYPE = 9,
  // A section or a layer of the model file is invalid, or of a kind that is not linked.
  ERNN_ERROR_LAYER = 10,
  // The RAM is too small for the state, or for a sequence of this length.
  ERNN_ERROR_RAM = 11,
  // The input has the wrong length.
  ERNN_ERROR_INPUT_LENGTH = 12,
  // The output has the wrong length.
  ERNN_ERROR_OUTPUT_LENGTH = 13,
  // An id is out of range.
  ERNN_ERROR_ID = 14,
  // The model runs whole sequences, not single steps.
  ERNN_ERROR_WHOLE_SEQUENCE = 15,
  // The model cannot generate.
  ERNN_ERROR_NO_DECODER = 16,
  // The state belongs to another model.
  ERNN_ERROR_FOREIGN_STATE = 17,
  // The saved state is damaged or of another version.
  ERNN_ERROR_SAVED_STATE = 18,
  // The buffer is too small.
  ERNN_ERROR_BUFFER = 19,
  // The golden trace has another output on this machine.
  ERNN_ERROR_SELF_TEST = 20,
  // There is no such label.
  ERNN_ERROR_NO_LABEL = 21,
  // Any other reason.
  ERNN_ERROR_OTHER = 22,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ernn_status_t ernn_status_t;
#else
typedef int32_t ernn_status_t;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Dtype of a model.
enum ernn_dtype_t
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Weights and arithmetic in float.
  ERNN_F32 = 0,
  // Weights in binary16, arithmetic in float.
  ERNN_F16 = 1,
  // Integers only: inputs of 16 bits, outputs of 32.
  ERNN_I8 = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ernn_dtype_t ernn_dtype_t;
#else
typedef int32_t ernn_dtype_t;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// An open model. The content is private; `ernn_open` initializes it.
typedef struct {
  uint64_t content[16];
} ernn_model_t;

// Facts of a model.
typedef struct {
  // Dtype: models of `ERNN_I8` take the functions ending in `_i8`, the other ones those ending in `_f32`.
  ernn_dtype_t dtype;
  // Values per time step.
  size_t input_size;
  // Values per output.
  size_t output_size;
  // Number of layers.
  size_t layers;
  // Number of labels.
  size_t labels;
  // Bytes of the model file.
  size_t file_len;
  // Bytes of RAM of a state; `ernn_ram_needed` for a model that runs whole sequences.
  size_t ram;
  // Most bytes of a saved state.
  size_t saved_len;
  // Real value of one unit of the output; 1 in float models.
  float output_scale;
  // True if `ernn_run_...` has an output per time step, false if one after the last.
  bool returns_sequences;
  // True if a layer runs backwards: only `ernn_run_...` takes inputs, a whole sequence per call.
  bool whole_sequences;
  // True if the outputs come from a decoder: `ernn_greedy`.
  bool has_decoder;
  // True if the inputs are ids, as values of the model's input type.
  bool takes_ids;
} ernn_info_t;

// The state of a sequence. The content is private; `ernn_state_init` initializes it.
typedef struct {
  uint64_t content[8];
} ernn_state_t;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Checks a model file and opens it in place; the handle stays uninitialized if it is rejected.
//
// The bytes must be aligned to 4, better to 64, and stay where they are; an array made by `ernn header` is
// aligned.
ernn_status_t ernn_open(ernn_model_t *model,
                        const void *bytes,
                        size_t len);

// Stores the facts of a model in `info`.
ernn_status_t ernn_info(const ernn_model_t *model, ernn_info_t *info);

// Stores in `bytes` the RAM of a state that runs sequences of up to `steps` time steps.
//
// The length matters for models that run whole sequences only.
ernn_status_t ernn_ram_needed(const ernn_model_t *model, size_t steps, size_t *bytes);

// Stores in `len` the number of values that `ernn_run_...` puts out for `steps` time steps.
ernn_status_t ernn_output_len(const ernn_model_t *model, size_t steps, size_t *len);

// Writes the label of class `index` into `text`, ended by a zero; `len` bytes have room there.
ernn_status_t ernn_label(const ernn_model_t *model, size_t index, char *text, size_t len);

// Quantizes the real inputs of one time step of an `ERNN_I8` model: both lengths are `info.input_size`.
ernn_status_t ernn_quantize(const ernn_model_t *model,
                            const float *x,
                            size_t x_len,
                            int16_t *quantized,
                            size_t quantized_len);

// Converts outputs of an `ERNN_I8` model to real values: both lengths are the same.
ernn_status_t ernn_dequantize(const ernn_model_t *model,
                              const int32_t *y,
                              size_t y_len,
                              float *real,
                              size_t real_len);

// Initializes a state at the start of a sequence, in `ram`, which is aligned to 4 and has as many bytes as
// `ernn_info_t` or `ernn_ram_needed` state.
ernn_status_t ernn_state_init(ernn_state_t *state,
                              const ernn_model_t *model,
                              void *ram,
                              size_t ram_len);

// Returns to the start of a sequence.
ernn_status_t ernn_reset(ernn_state_t *state);

// Replays the golden trace of the model file and resets the state: at boot it shows that flash, library and
// core agree with the PC that made the file.
ernn_status_t ernn_self_test(const ernn_model_t *model,
                             ernn_state_t *state);

// Saves a state into `buffer`, of `info.saved_len` bytes, and stores in `used` how many it takes.
ernn_status_t ernn_save(const ernn_model_t *model,
                        ernn_state_t *state,
                        void *buffer,
                        size_t len,
                        size_t *used);

// Restores a state that `ernn_save` has saved, on this machine or another one.
ernn_status_t ernn_restore(const ernn_model_t *model,
                           ernn_state_t *state,
                           const void *saved,
                           size_t len);

// Returns the text of a status, in English, as a string that always exists.
const char *ernn_strerror(int status);

// Runs one time step of an `ERNN_I8` model: `x_len` is `info.input_size`, `y_len` is `info.output_size` (0
// for a model with a decoder).
ernn_status_t ernn_step_i8(const ernn_model_t *model,
                           ernn_state_t *state,
                           const int16_t *x,
                           size_t x_len,
                           int32_t *y,
                           size_t y_len);

// Runs one time step of an `ERNN_F32` or `ERNN_F16` model, as `ernn_step_i8` does.
ernn_status_t ernn_step_f32(const ernn_model_t *model,
                            ernn_state_t *state,
                            const float *x,
                            size_t x_len,
                            float *y,
                            size_t y_len);

// Runs many time steps of an `ERNN_I8` model, one after another in `xs`: the same bits as that many calls of
// `ernn_step_i8`. `ernn_output_len` is the length of `ys`.
ernn_status_t ernn_run_i8(const ernn_model_t *model,
                          ernn_state_t *state,
                          const int16_t *xs,
                          size_t xs_len,
                          int32_t *ys,
                          size_t ys_len);

// Runs many time steps of an `ERNN_F32` or `ERNN_F16` model, as `ernn_run_i8` does.
ernn_status_t ernn_run_f32(const ernn_model_t *model,
                           ernn_state_t *state,
                           const float *xs,
                           size_t xs_len,
                           float *ys,
                           size_t ys_len);

// Generates the likeliest ids from `first` up to the first `end`, at most `len`, and stores their number in
// `count`.
ernn_status_t ernn_greedy(const ernn_model_t *model,
                          ernn_state_t *state,
                          uint16_t first,
                          uint16_t end,
                          uint16_t *ids,
                          size_t len,
                          size_t *count);

// Checks a model file and opens it in place; the handle stays uninitialized if it is rejected.
//
// The bytes must be aligned to 4, better to 64, and stay where they are; an array made by `ernn header` is
// aligned.
ernn_status_t ernn_open(ernn_model_t *model,
                        const void *bytes,
                        size_t len);

// Stores the facts of a model in `info`.
ernn_status_t ernn_info(const ernn_model_t *model, ernn_info_t *info);

// Stores in `bytes` the RAM of a state that runs sequences of up to `steps` time steps.
//
// The length matters for models that run whole sequences only.
ernn_status_t ernn_ram_needed(const ernn_model_t *model, size_t steps, size_t *bytes);

// Stores in `len` the number of values that `ernn_run_...` puts out for `steps` time steps.
ernn_status_t ernn_output_len(const ernn_model_t *model, size_t steps, size_t *len);

// Writes the label of class `index` into `text`, ended by a zero; `len` bytes have room there.
ernn_status_t ernn_label(const ernn_model_t *model, size_t index, char *text, size_t len);

// Quantizes the real inputs of one time step of an `ERNN_I8` model: both lengths are `info.input_size`.
ernn_status_t ernn_quantize(const ernn_model_t *model,
                            const float *x,
                            size_t x_len,
                            int16_t *quantized,
                            size_t quantized_len);

// Converts outputs of an `ERNN_I8` model to real values: both lengths are the same.
ernn_status_t ernn_dequantize(const ernn_model_t *model,
                              const int32_t *y,
                              size_t y_len,
                              float *real,
                              size_t real_len);

// Initializes a state at the start of a sequence, in `ram`, which is aligned to 4 and has as many bytes as
// `ernn_info_t` or `ernn_ram_needed` state.
ernn_status_t ernn_state_init(ernn_state_t *state,
                              const ernn_model_t *model,
                              void *ram,
                              size_t ram_len);

// Returns to the start of a sequence.
ernn_status_t ernn_reset(ernn_state_t *state);

// Replays the golden trace of the model file and resets the state: at boot it shows that flash, library and
// core agree with the PC that made the file.
ernn_status_t ernn_self_test(const ernn_model_t *model,
                             ernn_state_t *state);

// Saves a state into `buffer`, of `info.saved_len` bytes, and stores in `used` how many it takes.
ernn_status_t ernn_save(const ernn_model_t *model,
                        ernn_state_t *state,
                        void *buffer,
                        size_t len,
                        size_t *used);

// Restores a state that `ernn_save` has saved, on this machine or another one.
ernn_status_t ernn_restore(const ernn_model_t *model,
                           ernn_state_t *state,
                           const void *saved,
                           size_t len);

// Returns the text of a status, in English, as a string that always exists.
const char *ernn_strerror(int status);

// Runs one time step of an `ERNN_I8` model: `x_len` is `info.input_size`, `y_len` is `info.output_size` (0
// for a model with a decoder).
ernn_status_t ernn_step_i8(const ernn_model_t *model,
                           ernn_state_t *state,
                           const int16_t *x,
                           size_t x_len,
                           int32_t *y,
                           size_t y_len);

// Runs one time step of an `ERNN_F32` or `ERNN_F16` model, as `ernn_step_i8` does.
ernn_status_t ernn_step_f32(const ernn_model_t *model,
                            ernn_state_t *state,
                            const float *x,
                            size_t x_len,
                            float *y,
                            size_t y_len);

// Runs many time steps of an `ERNN_I8` model, one after another in `xs`: the same bits as that many calls of
// `ernn_step_i8`. `ernn_output_len` is the length of `ys`.
ernn_status_t ernn_run_i8(const ernn_model_t *model,
                          ernn_state_t *state,
                          const int16_t *xs,
                          size_t xs_len,
                          int32_t *ys,
                          size_t ys_len);

// Runs many time steps of an `ERNN_F32` or `ERNN_F16` model, as `ernn_run_i8` does.
ernn_status_t ernn_run_f32(const ernn_model_t *model,
                           ernn_state_t *state,
                           const float *xs,
                           size_t xs_len,
                           float *ys,
                           size_t ys_len);

// Generates the likeliest ids from `first` up to the first `end`, at most `len`, and stores their number in
// `count`.
ernn_status_t ernn_greedy(const ernn_model_t *model,
                          ernn_state_t *state,
                          uint16_t first,
                          uint16_t end,
                          uint16_t *ids,
                          size_t len,
                          size_t *count);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* ERNN_H */
