//! The command `ernn`, and one crate for all that it stands on: training, model files and imports of recurrent networks for
//! `embedded-rnn`.
//!
//! | crate | holds |
//! |---|---|
//! | `embedded-rnn-nn` | cells, layers, data, training, configs |
//! | `embedded-rnn-pack` | model files: written, quantized, read back, run, summarized |
//! | `embedded-rnn-import` | Keras, ONNX and PyTorch files |
//! | this one | the commands, the report, sampling and vocabularies of generated text |

pub mod commands;
pub mod report;
pub mod sampling;
pub mod vocabulary;

pub use embedded_rnn_import as import;
pub use embedded_rnn_nn::{
    activation, cells, config, data, evaluate, export, forecast, initializers, layers, loss, metrics, net,
    optimizer, output, packed, reference, tensor, training,
};
pub use embedded_rnn_pack as pack;
pub use embedded_rnn_pack::{session, summary};
