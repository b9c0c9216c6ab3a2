//! Records of layers without weighted rows.

use embedded_rnn::Kind;
use embedded_rnn::format::LayerRecord;

/// Returns the record of a layer that maps each frame to one of the same size.
pub fn framewise_record(kind: Kind, features: usize) -> LayerRecord {
    LayerRecord {
        kind: kind as u8,
        input_size: features as u32,
        units: features as u32,
        output_scale: 1.0,
        ..bytemuck::Zeroable::zeroed()
    }
}
