//! The command `ernn`: trains, quantizes, imports and runs recurrent networks for `embedded-rnn`. The crate
//! also re-exports the libraries that the command is built on.
//!
//! | crate | content |
//! |---|---|
//! | `embedded-rnn-nn` | cells, layers, data, training, configs |
//! | `embedded-rnn-pack` | model files: writing, quantization, reading, inference, summaries |
//! | `embedded-rnn-import` | importers of Keras, ONNX and PyTorch files |
//! | this crate | commands, report, sampling, vocabularies |

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
