//! Initial states: a layer stores the states that the caller sets, and continues from them.

use embedded_rnn::format::LayerRecord;
use embedded_rnn::{Error, Kind, Model, Number, State};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::files::{is_cell, is_recurrent};
use crate::running::{bits, ram, run, save};
use crate::sequences::decoder_outputs;
use crate::stacks::{STEPPING, Stack, TIME, WHOLE, everywhere};

/// h and c of a layer; c is empty in a layer without one.
type Own = [Vec<f32>; 2];

fn sizes(record: &LayerRecord) -> [usize; 2] {
    [record.units(), if record.kind == Kind::Lstm as u8 { record.units() } else { 0 }]
}

fn is_pooling(record: &LayerRecord) -> bool {
    is_recurrent(record) && !is_cell(record)
}

/// Returns the indices of the layers with states.
fn places<N: Number>(model: &Model<'_, N>) -> Vec<usize> {
    (0..model.layers().len()).filter(|&place| is_cell(&model.layers()[place])).collect()
}

fn set<N: Number>(model: &Model<'_, N>, state: &mut State<'_, N>, states: &[(usize, Own)]) {
    for (place, [h, c]) in states {
        model.set_layer_state(state, *place, h, c).unwrap();
    }
}

fn get<N: Number>(model: &Model<'_, N>, state: &State<'_, N>, place: usize) -> Own {
    let [mut h, mut c] = sizes(&model.layers()[place]).map(|size| vec![f32::NAN; size]);
    model.layer_state(state, place, &mut h, &mut c).unwrap();
    [h, c]
}

/// Returns the range of the stored value, within half a unit in an integer model, given the real value of one
/// unit and the smallest and the largest number of units.
fn stored<N: Number>(value: f32, unit: f32, ends: [f32; 2]) -> std::ops::RangeInclusive<f32> {
    if size_of::<N::In>() == 4 {
        return value..=value;
    }
    let nearest = value.clamp(ends[0] * unit, ends[1] * unit);
    nearest - unit * 0.501..=nearest + unit * 0.501
}

/// Returns `true` if the layer is a GRU, whose state is finer than its activations in integers.
fn is_gru(record: &LayerRecord) -> bool {
    [Kind::Gru, Kind::GruResetBefore].iter().any(|&kind| kind as u8 == record.kind)
}

/// Returns the largest h of an integer layer in its units.
fn most(record: &LayerRecord) -> f32 {
    if is_gru(record) { 32_767.0 } else { 2f32.powi(record.frac.into()) }
}

/// Sets states in both phases of the double buffer: they are read back, other layers do not change, and the
/// outputs have the same bits.
fn states_are_stored<N: Number>(_: &Stack<'_>, model: &Model<'_, N>, xs: &[N::In]) {
    if model.layers().iter().any(is_pooling) {
        return; // Its state cannot be set, so that the outputs depend on the time steps before.
    }
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut random = |size| (0..size).map(|_| rng.random_range(-3.0..3.0)).collect::<Vec<f32>>();
    let wanted: Vec<(usize, Own)> = places(model)
        .into_iter()
        .map(|place| (place, sizes(&model.layers()[place]).map(&mut random)))
        .collect();
    let mut rams = [0; 3].map(|_| ram(model, TIME));
    let [mut new, mut odd, mut even] = rams.each_mut().map(|ram| model.state(ram).unwrap());
    let size = model.input_size();
    run(model, &mut odd, &xs[2 * size..3 * size]);
    run(model, &mut even, &xs[2 * size..4 * size]);
    decoder_outputs(model, &mut even);
    let mut golden = None;
    for state in [&mut new, &mut odd, &mut even] {
        for (number, (place, own)) in wanted.iter().enumerate() {
            let others = |state: &State<'_, N>| -> Vec<Own> {
                wanted[number + 1..].iter().map(|(place, _)| get(model, state, *place)).collect()
            };
            let before = others(state);
            set(model, state, &wanted[number..=number]);
            assert_eq!(others(state), before);
            let record = &model.layers()[*place];
            let unit = record.output_scale;
            // INTEGER.md: the unit of c is 2^-cell_frac of the full scale of h, 2^frac units. That of a GRU's
            // h is 2^-15 of it.
            let full_scale = unit * 2f32.powi(i32::from(record.frac));
            let cell_unit = full_scale * 2f32.powi(-i32::from(record.cell_frac));
            let unit = if is_gru(record) { full_scale * 2f32.powi(-15) } else { unit };
            let [h, c] = get(model, state, *place);
            for (found, &value) in h.iter().zip(&own[0]) {
                let most = most(record);
                let stored = stored::<N>(value, unit, [-most, most]);
                assert!(stored.contains(found), "h of layer {place}: {found}, not in {stored:?}");
            }
            for (found, &value) in c.iter().zip(&own[1]) {
                let stored = stored::<N>(value, cell_unit, [-(2f32.powi(30)), 2f32.powi(30)]);
                assert!(stored.contains(found), "c of layer {place}: {found}, not in {stored:?}");
            }
        }
        let saved = save(model, state);
        let out = run(model, state, xs);
        // The decoder has a copy of the encoder state.
        set(model, state, &wanted);
        let found = (saved, bits(&out).to_vec(), bits(&decoder_outputs(model, state)).to_vec());
        assert!(*golden.get_or_insert_with(|| found.clone()) == found, "other bits in another phase");
    }
}

#[test]
fn a_layer_continues_from_the_states_that_are_set() {
    everywhere!(STEPPING, states_are_stored);
    everywhere!(WHOLE, states_are_stored);
}

/// An integer model stores NaN as 0, and saturates values outside of its range. A float model stores the
/// bits.
fn extreme_values_saturate<N: Number>(_: &Stack<'_>, model: &Model<'_, N>, _: &[N::In]) {
    let mut ram = ram(model, 0);
    let mut state = model.state(&mut ram).unwrap();
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN_POSITIVE] {
        for place in places(model) {
            let own = sizes(&model.layers()[place]).map(|size| vec![value; size]);
            set(model, &mut state, &[(place, own)]);
            let [h, _] = get(model, &state, place);
            let record = &model.layers()[place];
            let unit = if is_gru(record) {
                record.output_scale * 2f32.powi(i32::from(record.frac) - 15)
            } else {
                record.output_scale
            };
            let end = most(record) * unit;
            let stored = if value.is_nan() { 0.0 } else { value.clamp(-end, end) };
            let right = |found: f32| (found - stored).abs() <= unit * 0.501;
            let same = |found: f32| found.to_bits() == value.to_bits();
            let float = size_of::<N::In>() == 4;
            assert!(h.iter().all(|&h| if float { same(h) } else { right(h) }), "{value}: {h:?}");
        }
    }
}

#[test]
fn nan_is_stored_as_zero_and_large_values_saturate_in_integers() {
    everywhere!(STEPPING, extreme_values_saturate);
}

fn other_sizes_are_rejected<N: Number>(_: &Stack<'_>, model: &Model<'_, N>, _: &[N::In]) {
    let mut ram = ram(model, 0);
    let mut state = model.state(&mut ram).unwrap();
    let before = save(model, &state);
    let count = model.layers().len();
    for layer in (0..count + 2).chain([usize::MAX]) {
        let record = model.layers().get(layer).filter(|record| is_cell(record));
        let own = record.map(sizes);
        let units = model.layers().get(layer).map_or(3, LayerRecord::units);
        for h in [0, units - 1, units, units + 1] {
            for c in [0, units - 1, units, units + 1] {
                let mut values = [vec![0.5; h], vec![0.5; c]];
                let expected = if own == Some([h, c]) { None } else { Some(Error::NoState { layer }) };
                let [h, c] = &mut values;
                if expected.is_some() {
                    assert_eq!(model.set_layer_state(&mut state, layer, h, c).err(), expected);
                }
                assert_eq!(model.layer_state(&state, layer, h, c).err(), expected);
            }
        }
    }
    assert_eq!(save(model, &state), before);
}

#[test]
fn missing_layers_and_other_sizes_are_rejected() {
    everywhere!(STEPPING, other_sizes_are_rejected);
    everywhere!(WHOLE, other_sizes_are_rejected);
}
