use super::*;
use crate::loss::BatchTargets;

fn floats(shape: &[usize]) -> Array {
    let count = shape.iter().product::<usize>();
    Array { shape: shape.to_vec(), values: Values::Floats((0..count).map(|k| k as f32).collect()) }
}

fn integers(shape: &[usize], values: &[i64]) -> Array {
    Array { shape: shape.to_vec(), values: Values::Integers(values.to_vec()) }
}

fn read(x: Array, steps: Option<Array>, y: Array) -> Result<Dataset> {
    Dataset::from_arrays(x, steps, y, ["x", "y"])
}

#[test]
fn padded_and_ragged_are_the_same_sequences() {
    let steps = || Some(integers(&[2], &[1, 2]));
    let ragged = read(
        Array { shape: vec![3, 2], values: Values::Floats(vec![0.0, 1.0, 6.0, 7.0, 8.0, 9.0]) },
        steps(),
        integers(&[2], &[4, 0]),
    );
    let padded = read(floats(&[2, 3, 2]), steps(), integers(&[2], &[4, 0])).unwrap();
    assert_eq!(padded, ragged.unwrap());
    assert_eq!((padded.sequences.get(1), padded.width()), (&[6.0, 7.0, 8.0, 9.0][..], 5));
}

/// Checks that two rows are two padded sequences, and that as many rows as the lengths add up to are frames.
#[test]
fn ids_with_lengths_are_padded_or_one_after_another() {
    let steps = || Some(integers(&[2], &[1, 2]));
    let ids = read(integers(&[2, 3], &[7, 0, 0, 8, 9, 0]), steps(), integers(&[2, 3], &[1, 0, 0, 2, 3, 0]))
        .unwrap();
    let frames = read(integers(&[3, 1], &[7, 8, 9]), steps(), integers(&[3], &[1, 2, 3])).unwrap();
    assert_eq!(ids, frames);
    assert_eq!((ids.sequences.features, ids.sequences.get(1)), (1, &[8.0, 9.0][..]));
    let single = read(floats(&[2, 3]), Some(integers(&[2], &[1, 1])), integers(&[2], &[0, 1])).unwrap();
    assert_eq!((single.sequences.features, single.sequences.get(1)), (3, &[3.0, 4.0, 5.0][..]));
}

#[test]
fn targets_of_every_frame_lose_the_padding_too() {
    let steps = Some(integers(&[2], &[1, 2]));
    let labels = read(floats(&[2, 3, 2]), steps.clone(), integers(&[2, 3], &[1, 9, 9, 2, 3, 9])).unwrap();
    assert_eq!((labels.per_frame, labels.targets), (true, Targets::Labels(vec![1, 2, 3])));
    let values = read(floats(&[2, 3, 1]), steps, floats(&[2, 3, 1])).unwrap();
    assert_eq!(values.targets, Targets::Values { width: 1, values: vec![0.0, 3.0, 4.0] });
}

#[test]
fn packing_goes_step_by_step_longest_first() {
    let data = read(floats(&[6, 1]), Some(integers(&[3], &[1, 3, 2])), integers(&[3], &[7, 8, 9])).unwrap();
    let batch = pack(&data, &[0, 1, 2]);
    assert_eq!(batch.input.values.as_slice(), [1.0, 4.0, 0.0, 2.0, 5.0, 3.0]);
    assert!(matches!(batch.targets, BatchTargets::Labels(labels) if labels == [8, 9, 7]));
}

#[test]
fn splitting_keeps_sequences_with_their_targets() {
    let data = read(floats(&[6, 1]), Some(integers(&[3], &[1, 3, 2])), floats(&[6, 2])).unwrap();
    let (first, rest) = data.split_at(1);
    assert_eq!((first.sequences.len(), rest.sequences.get(1)), (1, &[4.0, 5.0][..]));
    assert_eq!(first.targets, Targets::Values { width: 2, values: vec![0.0, 1.0] });
    assert!(matches!(rest.targets, Targets::Values { values, .. } if values[0] == 2.0 && values.len() == 10));
}

#[test]
fn arrays_that_do_not_fit_are_rejected_by_name() {
    let reason = |x, steps, y| format!("{:#}", read(x, steps, y).unwrap_err());
    let y = || integers(&[2], &[0, 1]);
    assert_eq!(
        reason(floats(&[5, 2]), Some(integers(&[2], &[2, 2])), y()),
        "x: holds 5 frames, but the lengths add up to 4"
    );
    assert_eq!(reason(floats(&[2, 3, 1]), Some(integers(&[2], &[0, 2])), y()), "x: sequence 0 has length 0");
    assert_eq!(
        reason(floats(&[2, 3, 1]), Some(integers(&[2], &[1, 4])), y()),
        "x: has 3 steps, but sequence 1 has length 4"
    );
    assert_eq!(reason(floats(&[0, 3, 1]), None, y()), "x: empty: its shape is [0, 3, 1]");
    assert_eq!(
        reason(floats(&[2, 3, 1]), None, integers(&[2], &[0, -1])),
        "y: label -1 at [1] is out of range"
    );
    assert!(
        reason(floats(&[3, 3, 1]), None, y()).starts_with("y: its shape is [2], but there are 3 sequences")
    );
}

/// Changes every byte of a valid file of each format, in several ways, and truncates the file everywhere.
#[test]
fn damaged_files_of_every_format_are_read_or_rejected_in_one_line() {
    let idx = [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 1][..], &[1, 2, 3, 4]].concat();
    let header = b"{'descr': '<U2', 'fortran_order': False, 'shape': (2,), }";
    let texts = [b"\x93NUMPY\x01\x00\x39\x00", &header[..], b"a\0\0\0\0\0\0\0b\0\0\0c\0\0\0"].concat();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("npy")).unwrap();
    write_npy(&at("npy/x.npy"), &[2, 1, 1], &[0.5, 1.5]).unwrap();
    std::fs::write(at("x-labels-idx1-ubyte"), [0, 0, 8, 1, 0, 0, 0, 2, 1, 0]).unwrap();
    for (file, data, bytes) in [
        ("w.csv", "w.csv", &b"sequence,part,x,label,group\n1,train,2,a,g\n2,test,3,b,h\n"[..]),
        ("v.csv", "v.csv", b"sequence,x,target_1\n1,2,0.5\n1,2,1.5\n"),
        ("t.ts", "t.ts", b"@timeStamps false\n@classLabel true a b\n@data\n1,2:3,4:a\n1:2:b\n"),
        ("x-images-idx3-ubyte", "x-images-idx3-ubyte", &idx),
        ("npy/y.npy", "npy", &texts),
    ] {
        let read = |bytes: &[u8]| {
            std::fs::write(at(file), bytes).unwrap();
            let read = Data::read(&at(data), &[]);
            read.map(|data| assert!(!data.train.sequences.is_empty()))
                .map_err(|error| crate::output::one_line(&error))
        };
        read(bytes).unwrap();
        for k in 0..bytes.len() {
            _ = read(&bytes[..k]);
            for change in [0x01, 0x10, 0x80, 0xff] {
                let mut damaged = bytes.to_vec();
                damaged[k] ^= change;
                if let Err(line) = read(&damaged) {
                    assert!(!line.contains('\n'), "{line}");
                }
            }
        }
    }
}
