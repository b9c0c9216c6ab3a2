//! Initial states behind the weights of a recurrent layer, in the form in which they lie in the memory of the
//! runtime (runtime/FORMAT.md): the last state first, each filled up with zeros.

use embedded_rnn::Kind;
use embedded_rnn::format::{CELL_LIMIT, INITIAL_STATE, LANES, LayerRecord, STATE_FRAC};

use super::{FloatWeights, PackedLayer, PackedLayout};
use crate::tensor::Matrix;

/// Appends initial states in floats; `states` are in the order of
/// [`Cell::states`](crate::cells::Cell::states), or empty for zeros.
pub fn push_initial_float<N: FloatWeights>(states: &[Matrix<f32>], packed: &mut PackedLayer<N::Weight>) {
    for state in states.iter().rev() {
        let mut values = state.as_slice().to_vec();
        values.resize(values.len().next_multiple_of(LANES), 0.0);
        packed.weights.extend(N::store_f32(values));
        packed.record.flags |= INITIAL_STATE;
    }
}

/// Appends initial states in integers, rounded to the nearest and saturated: `c` in units of the cell state,
/// or the finer state of a GRU, then `h` in units of the layer's output.
pub fn push_initial_int(states: &[Matrix<f32>], packed: &mut PackedLayer<i32>) {
    let [h, c @ ..] = states else { return };
    packed.record.flags |= INITIAL_STATE;
    let LayerRecord { frac, cell_frac, output_scale, kind, .. } = packed.record;
    let full_scale = f64::from(output_scale) * 2f64.powi(frac.into());
    let limit = f64::from(CELL_LIMIT);
    let units = |value: f32, bits: i32| (f64::from(value) / full_scale * 2f64.powi(bits)).round();
    for c in c.iter().flat_map(|c| c.iter()) {
        packed.weights.push(units(*c, cell_frac.into()).clamp(-limit, limit - 1.0) as i32);
    }
    let halves = |bits: i32, most: f64| {
        let mut halves: Vec<i16> = h.iter().map(|&h| units(h, bits).clamp(-most, most) as i16).collect();
        halves.resize(halves.len().next_multiple_of(4), 0);
        let pairs = halves.as_chunks::<2>().0.iter();
        pairs.map(|&[low, high]| i32::from(high) << 16 | i32::from(low as u16)).collect::<Vec<i32>>()
    };
    if [Kind::Gru, Kind::GruResetBefore].iter().any(|&gru| gru as u8 == kind) {
        packed.weights.extend(halves(STATE_FRAC as i32, i16::MAX.into()));
    }
    packed.weights.extend(halves(frac.into(), 2f64.powi(frac.into())));
}

/// Splits the weights of a recurrent layer in a file of floats from its initial states, which are empty for
/// zeros.
pub fn split_initial<'a, N: FloatWeights>(
    record: &LayerRecord,
    layout: &PackedLayout,
    weights: &'a [N::Weight],
) -> (&'a [N::Weight], Vec<Matrix<f32>>) {
    if !record.has_initial_state() {
        return (weights, Vec::new());
    }
    let units = record.units();
    let padded = units.next_multiple_of(LANES);
    let states = if layout.cell_state { 2 } else { 1 };
    let len = states * padded * size_of::<f32>() / size_of::<N::Weight>();
    let (own, initial) = weights.split_at(weights.len() - len);
    // Half floats lie at addresses that are no multiples of four.
    let values: Vec<f32> = bytemuck::pod_collect_to_vec(initial);
    let state = |values: &[f32]| Matrix::from_column_slice(units, 1, &values[..units]);
    (own, values.chunks_exact(padded).rev().map(state).collect())
}

#[cfg(test)]
mod tests {
    use embedded_rnn::F16;

    use super::*;
    use crate::cells::layout_of;

    fn record(units: u32) -> LayerRecord {
        LayerRecord { kind: Kind::Lstm as u8, units, ..bytemuck::Zeroable::zeroed() }
    }

    fn column(values: &[f32]) -> Matrix<f32> {
        Matrix::from_column_slice(values.len(), 1, values)
    }

    #[test]
    fn states_in_integers_are_rounded_and_saturate() {
        let record = LayerRecord { output_scale: 0.5, frac: 14, cell_frac: 19, ..record(5) };
        let states = [column(&[0.24, -0.75, 1.3, 1e9, -1e9]), column(&[0.0, 1.0, -0.01, 1e9, -1e9])];
        let mut packed = PackedLayer::new(record, vec![7], "lstm");
        push_initial_int(&states, &mut packed);
        // The unit of c is 2^-5 of that of h.
        let c = [0, 64, -1, (1 << 30) - 1, -(1 << 30)];
        let h = [-2 << 16, 3 | 16_384 << 16, 0xc000, 0];
        assert_eq!(packed.weights, [&[7], &c[..], &h].concat());
        assert_eq!(packed.record.flags, INITIAL_STATE);
    }

    #[test]
    fn states_in_half_floats_are_read_back_to_the_bit() {
        let states = [column(&[0.1, -0.2, 0.3]), column(&[1e6, -3.3, 1e-9])];
        let mut packed = PackedLayer::new(record(3), vec![1, 2, 3, 4, 5, 6], "lstm");
        push_initial_float::<F16>(&states, &mut packed);
        let layout = layout_of(Kind::Lstm).unwrap();
        let (own, found) = split_initial::<F16>(&packed.record, layout, &packed.weights);
        assert_eq!(own, [1, 2, 3, 4, 5, 6]);
        assert_eq!(found, states);
    }
}
