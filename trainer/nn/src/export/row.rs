//! One row in integers: its scale, its start value, and the words of its weights (runtime/INTEGER.md).

use embedded_rnn::format::{BYTE_BITS, WEIGHTS_PER_WORD};

use super::order::IntRow;
use super::units::MULTIPLIER_LIMIT;

/// The largest weight in whole bytes.
const MOST: f64 = 127.0;
/// Units of a sum for one of a weight's byte.
const BYTE: f64 = (1 << BYTE_BITS) as f64;
/// The limit of the magnitudes of all terms of a sum.
const SUM_LIMIT: f64 = i32::MAX as f64;
/// The least multiplier, so that its rounding does not count.
const LEAST_MULTIPLIER: f64 = (1 << 14) as f64;
/// The part of its bound that an activation has on average, for estimates.
const TYPICAL: f64 = 1.0 / 3.0;

/// The activations that a part of a row is multiplied with, and its weights.
pub struct Operand {
    /// The units of the pre-activation for one unit of each activation.
    pub weights: Vec<f64>,
    /// The largest magnitude of an activation.
    pub bound: f64,
}

/// A row to be quantized, in units of its pre-activation.
pub struct Row {
    pub operands: Vec<Operand>,
    pub bias: f64,
    /// What rounding down needs to become the rounding of the row: 1/2 for the nearest.
    pub nearest: f64,
    /// The pre-activation from which on the function is as good as flat.
    pub flat_from: f64,
}

impl Row {
    /// Returns the largest magnitude of the pre-activation.
    pub fn reach(&self) -> f64 {
        let of = |operand: &Operand| operand.weights.iter().map(|w| w.abs()).sum::<f64>() * operand.bound;
        self.operands.iter().map(of).sum::<f64>() + self.bias.abs() + self.nearest
    }

    /// Returns the least unit of the sum for which the weights fit their bytes and all terms 32 bits.
    pub fn unit(&self) -> f64 {
        let weights = self.operands.iter().flat_map(|operand| &operand.weights);
        let largest = weights.fold(0f64, |largest, w| largest.max(w.abs()));
        let least = LEAST_MULTIPLIER / 2f64.powi(32);
        (largest / (MOST * BYTE)).max(self.reach() / SUM_LIMIT).max(least)
    }

    /// Estimates the variance of the pre-activation by the rounding of the weights, where its function is not
    /// flat.
    pub fn variance(&self) -> f64 {
        let step = self.unit() * BYTE;
        let of = |operand: &Operand| {
            let largest = operand.weights.iter().fold(0f64, |largest, w| largest.max(w.abs()));
            let typical = (operand.bound * TYPICAL).min(self.flat_from / largest);
            operand.weights.len() as f64 * typical.powi(2)
        };
        step.powi(2) / 12.0 * self.operands.iter().map(of).sum::<f64>()
    }

    /// Quantizes the row; `None` if no multiplier fits.
    pub fn quantized(&self) -> Option<IntRow> {
        let mut unit = self.unit();
        loop {
            let multiplier = (unit * 2f64.powi(32)).round();
            if multiplier >= MULTIPLIER_LIMIT {
                return None;
            }
            let mut words = Vec::new();
            let start = ((self.bias + self.nearest) / unit).round();
            let mut sum = start.abs();
            for operand in &self.operands {
                let (own, effective) = packed(&operand.weights, unit);
                words.extend(own);
                sum += effective * operand.bound;
            }
            if sum <= SUM_LIMIT {
                return Some(IntRow { start: start as i32, words, multiplier: multiplier as i32 });
            }
            unit *= sum / SUM_LIMIT * 1.001;
        }
    }
}

/// Returns the words of weights, in units of a sum, and the sum of the magnitudes of what they are multiplied
/// as.
///
/// A word holds the weights of four inputs in the order 0, 2, 1, 3, lowest byte first. Each is multiplied
/// with the byte below it, if any, as a fraction; it is rounded knowing that byte.
fn packed(weights: &[f64], unit: f64) -> (Vec<i32>, f64) {
    let mut sum = 0.0;
    let words = weights.chunks(WEIGHTS_PER_WORD).map(|quad| {
        let mut bytes = [0u8; WEIGHTS_PER_WORD];
        let mut below = 0.0;
        for (byte, input) in bytes.iter_mut().zip([0, 2, 1, 3]) {
            let Some(weight) = quad.get(input) else {
                // An input that fills up has the byte 0.
                below = 0.0;
                continue;
            };
            let high = ((weight / unit - below) / BYTE).round().clamp(-MOST - 1.0, MOST);
            sum += (high * BYTE + below).abs();
            *byte = high as i8 as u8;
            below = f64::from(*byte);
        }
        i32::from_le_bytes(bytes)
    });
    (words.collect(), sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what a word's weights are multiplied as, by input.
    fn effective(word: i32) -> [i32; 4] {
        let (low, high) = (word as i16 as i32, word >> 16);
        let shifted = word << 8;
        [shifted as i16 as i32, shifted >> 16, low, high]
    }

    #[test]
    fn every_weight_is_within_half_a_byte_of_its_value() {
        let unit = 0.25;
        for seed in 0..1_000 {
            let weight = |k| f64::from((seed * 7_919 + k * 104_729) % 8_001 - 4_000) * 2.0;
            let weights: Vec<f64> = (0..1 + seed % 4).map(weight).collect();
            let (words, sum) = packed(&weights, unit);
            let found = &effective(words[0])[..weights.len()];
            for (found, weight) in found.iter().zip(&weights) {
                let expected = weight / unit;
                assert!((f64::from(*found) - expected).abs() <= BYTE / 2.0, "{found}, not {expected}");
            }
            assert_eq!(sum, found.iter().map(|&w| f64::from(w).abs()).sum::<f64>());
        }
    }

    #[test]
    fn a_row_is_scaled_until_its_sum_fits() {
        const BOUND: f64 = 2048.0;
        const WEIGHT: f64 = 100.0;
        let operand = |count, bound| Operand { weights: vec![WEIGHT; count], bound };
        let row = |operands, bias| Row { operands, bias, nearest: 0.5, flat_from: f64::INFINITY };
        for count in [1, 40, 1000] {
            let int = row(vec![operand(count, BOUND), operand(3, 512.0)], -5e5).quantized().unwrap();
            let own = &int.words[..count.div_ceil(4)];
            let weights = own.iter().flat_map(|&word| effective(word)).take(count);
            let sum: f64 = weights.map(|w| f64::from(w).abs() * BOUND).sum();
            assert!(sum < SUM_LIMIT, "{count}");
            let unit = f64::from(int.multiplier) / 2f64.powi(32);
            let found = f64::from(effective(int.words[0])[0]) * unit;
            assert!((found - WEIGHT).abs() <= BYTE * unit / 2.0 + 0.01, "{found}, {count}");
            assert!((f64::from(int.start) * unit + 5e5 - 0.5).abs() < 2.0, "{}", f64::from(int.start) * unit);
        }
        assert!(row(vec![Operand { weights: vec![1e9], bound: 1.0 }], 0.0).quantized().is_none());
    }
}
