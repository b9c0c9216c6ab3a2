use super::*;
use crate::activation::Activation;
use crate::data::parse_date;
use crate::layers::{Dense, Layer};
use crate::packed::{BatchSizes, PackedSequence};
use crate::tensor::Matrix;

/// Returns the squares of 0 to 9 in the months of 2000.
fn squares() -> Series {
    let dates = (1..=10).map(|month| parse_date(&format!("2000-{month:02}")).unwrap()).collect();
    let values = (0..10).map(|k| f64::from(k * k)).collect();
    Series { name: "square".to_owned(), dates, values, unequal: None }
}

fn windows(split_date: &str, window: usize, difference: bool) -> Windows {
    Windows { split_date: parse_date(split_date).unwrap(), window, difference }
}

/// Returns the inputs and the targets.
fn rows(data: &Dataset) -> Vec<(Vec<f32>, f32)> {
    let crate::data::Targets::Values { values, .. } = &data.targets else { panic!("values") };
    (0..data.sequences.len()).map(|s| (data.sequences.get(s).to_vec(), values[s])).collect()
}

#[test]
fn windows_end_before_their_targets_and_parts_at_the_split() {
    let (data, forecast) = windows("2000-08-01", 3, false).cut(&squares()).unwrap();
    let inputs: Vec<Vec<f32>> = rows(&data.train).into_iter().map(|(x, _)| x).collect();
    assert_eq!(inputs, [[0.0, 1.0, 4.0], [1.0, 4.0, 9.0], [4.0, 9.0, 16.0], [9.0, 16.0, 25.0]]);
    let test =
        [(vec![16.0, 25.0, 36.0], 49.0), (vec![25.0, 36.0, 49.0], 64.0), (vec![36.0, 49.0, 64.0], 81.0)];
    assert_eq!(rows(&forecast.test), test);
    assert_eq!(forecast.what, "square, 3 from 2000-08-01 to 2000-10-01");
    // The changes are 13, 15, 17, and each is 2 more than the one before.
    let last_value = Errors { mae: 15.0, rmse: (683.0f64 / 3.0).sqrt() };
    let last_change = Errors { mae: 2.0, rmse: 2.0 };
    assert_eq!(
        forecast.simple,
        [("last-value".to_owned(), last_value), ("last-change".to_owned(), last_change)]
    );
}

#[test]
fn changes_are_cut_at_the_same_date_and_judged_by_the_same_errors() {
    let (data, forecast) = windows("2000-08", 3, true).cut(&squares()).unwrap();
    let inputs: Vec<Vec<f32>> = rows(&data.train).into_iter().map(|(x, _)| x).collect();
    assert_eq!(inputs, [[1.0, 3.0, 5.0], [3.0, 5.0, 7.0], [5.0, 7.0, 9.0]]);
    assert_eq!(rows(&forecast.test)[0], (vec![7.0, 9.0, 11.0], 13.0));
    assert_eq!(forecast.test.sequences.len(), 3);
    assert_eq!(forecast.simple, windows("2000-08", 3, false).cut(&squares()).unwrap().1.simple);
    assert!(forecast.what.starts_with("the changes of square, 3 from 2000-08-01"));
}

#[test]
fn the_scale_knows_nothing_of_the_test_part() {
    let mut other = squares();
    other.values[7..].fill(-1e9);
    let [ours, others] = [squares(), other].map(|series| windows("2000-08", 3, false).cut(&series).unwrap());
    assert_eq!((ours.0.train, ours.1.scale), (others.0.train, others.1.scale));
    // The mean of 9, 16, 25, 36 is 21.5 and the deviation 10.06.
    assert_eq!(ours.1.scale, Scale { offset: 21.5, unit: 8.0 });
    assert_eq!(Scale::measure(&[3.0, 3.0]), Scale { offset: 3.0, unit: 1.0 });
}

#[test]
fn a_folded_network_has_the_unit_of_the_series() {
    let (data, forecast) = windows("2000-08", 3, false).cut(&squares()).unwrap();
    let weight = Matrix::from_row_slice(1, 1, &[0.3]);
    let dense = Dense::from_weights(weight, Matrix::from_row_slice(1, 1, &[-0.7]), Activation::Linear);
    let mut network = Network::new(1, vec![Layer { name: "d".to_owned(), kind: Kind::Dense(dense) }]);
    let frames = Matrix::from_row_slice(1, 3, data.train.sequences.get(2));
    let frames_of_series = PackedSequence { values: frames, steps: BatchSizes::single(3) };
    let before = network.forward(&frames_of_series);
    forecast.fold(&mut network).unwrap();
    for (scaled, own) in before.iter().zip(network.forward(&frames_of_series).iter()) {
        assert!((scaled * 8.0 + 21.5 - own).abs() <= 4e-6, "{own}");
    }
}

#[test]
fn a_split_with_too_few_rows_is_rejected() {
    let reason = |windows: Windows, series| windows.cut(&series).unwrap_err().to_string();
    let outside = "is not after the first date, 2000-01-01, and not beyond the last, 2000-10-01";
    for date in ["2000-01-01", "2000-10-02", "1990-01"] {
        let full = parse_date(date).unwrap();
        assert_eq!(reason(windows(date, 3, false), squares()), format!("data.split_date: {full} {outside}"));
    }
    let few = "4 rows before 2000-05-01 are too few for data.window = 3: it needs 5";
    assert_eq!(reason(windows("2000-05", 3, false), squares()), few);
    assert!(reason(windows("2000-06", 3, true), squares()).ends_with("it needs 6"));
    assert!(windows("2000-07", 3, true).cut(&squares()).is_ok());
    let empty = Series { dates: Vec::new(), values: Vec::new(), ..squares() };
    assert_eq!(reason(windows("2000-05", 3, false), empty), "no rows");
}
