//! What the fuzz targets of the runtime share.
//!
//! [`exercise`] calls every function of a model on every backend of the machine and compares their outputs;
//! [`parts`] takes model files apart and assembles them again, sizes and checksum repaired; [`mutate`]
//! changes the parts; [`weights`] counts the weights of a layer by FORMAT.md.
#![deny(unsafe_code)]

pub mod exercise;
pub mod mutate;
pub mod number;
pub mod parts;
pub mod weights;
