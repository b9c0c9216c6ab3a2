//! Exercises recorded by a smartwatch, several in a row, from seglearn, which contains a pickled numpy
//! object.
//!
//! The package has a recording for each of 10 subjects, each arm and each of 7 exercises. The recordings of a
//! subject and an arm are cut into bouts, the bouts are shuffled, and some of them one after another are a
//! sequence, so that the exercise changes at unmarked moments.

use anyhow::{Context, Result, ensure};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_bytes::ByteBuf;
use serde_pickle::DeOptions;

use crate::npz::{Arrays, Sequences};
use crate::package::out_of_wheel;
use crate::set::Made;

/// Acceleration and turning rate along three axes.
const AXES: usize = 6;
/// Number of frames at 50 Hz whose mean is one frame here, at 10 Hz.
const FRAMES_TO_ONE: usize = 5;
/// Shortest and longest length of a bout, in frames: 4 and 8 seconds. The last bout of a recording may be
/// longer.
const BOUT: [usize; 2] = [40, 80];
/// Bouts per sequence.
const BOUTS: usize = 4;
/// Subjects of the test; the other seven are for training.
const TEST_SUBJECTS: [i64; 3] = [8, 9, 10];

/// An array in numpy's pickles: version, shape, dtype, flag of Fortran order, values.
type Pickled = (IgnoredAny, Vec<usize>, IgnoredAny, bool, ByteBuf);

/// The object in the file, with the file's names.
#[derive(Deserialize)]
struct Watch {
    #[serde(rename = "X")]
    recordings: Vec<Pickled>,
    y: Pickled,
    subject: Pickled,
    side: Pickled,
}

/// Some seconds of one exercise.
struct Bout {
    frames: Vec<f32>,
    exercise: u8,
}

/// A part of the data set: sequences, and the exercise per frame.
struct Part {
    x: Sequences<f32>,
    y: Vec<u8>,
}

/// Converts the package into arrays.
pub fn make(wheel: &[u8]) -> Result<Made> {
    let watch = read(&out_of_wheel(wheel, "seglearn/data/watch_dataset.npy")?)?;
    let subjects = numbers(&watch.subject, i64::from_le_bytes);
    let exercises = numbers(&watch.y, i64::from_le_bytes);
    let arms = numbers(&watch.side, f64::from_le_bytes);
    let count = watch.recordings.len();
    ensure!(
        [subjects.len(), exercises.len(), arms.len()] == [count; 3],
        "recordings without a subject or a class"
    );

    let mut parts = [(); 2].map(|()| Part { x: Sequences::new(AXES), y: Vec::new() });
    for subject in 1..=10 {
        for arm in [0.0, 1.0] {
            let mut rng = ChaCha8Rng::seed_from_u64(subject as u64 * 2 + arm as u64);
            let own = (0..count).filter(|&k| subjects[k] == subject && arms[k] == arm);
            let mut bouts = Vec::new();
            for k in own {
                bouts.extend(cut(&frames(&watch.recordings[k])?, exercises[k] as u8, &mut rng));
            }
            bouts.shuffle(&mut rng);
            let part = &mut parts[usize::from(TEST_SUBJECTS.contains(&subject))];
            bouts.chunks(BOUTS).for_each(|bouts| part.push(bouts));
        }
    }
    let [train, test] = &parts;
    let summary = format!(
        "{count} recordings as {} sequences of seven subjects and {} of subjects {TEST_SUBJECTS:?}",
        train.x.len(),
        test.x.len()
    );
    let mut arrays = Arrays::new();
    for (name, part) in [("train", train), ("test", test)] {
        arrays.add_sequences([&format!("x_{name}"), &format!("len_{name}")], &part.x)?;
        arrays.add(&format!("y_{name}"), &[part.y.len()], &part.y)?;
    }
    Ok(Made { arrays, summary })
}

impl Part {
    fn push(&mut self, bouts: &[Bout]) {
        self.x.push(&bouts.iter().flat_map(|bout| &bout.frames).copied().collect::<Vec<_>>());
        for bout in bouts {
            self.y.extend(vec![bout.exercise; bout.frames.len() / AXES]);
        }
    }
}

/// Reads the object in a `.npy` file, which is pickled after a header of one line.
fn read(npy: &[u8]) -> Result<Watch> {
    let header = npy.iter().position(|&byte| byte == b'\n').context("not a .npy file")?;
    let options = DeOptions::new().keep_restore_state();
    type Object = (IgnoredAny, IgnoredAny, IgnoredAny, IgnoredAny, [Watch; 1]);
    let object: Object = serde_pickle::from_slice(&npy[header + 1..], options)?;
    let [watch] = object.4;
    Ok(watch)
}

/// Returns the values of an array with eight bytes per value.
fn numbers<T>(array: &Pickled, from: fn([u8; 8]) -> T) -> Vec<T> {
    let (eights, _) = array.4.as_chunks();
    eights.iter().map(|&eight| from(eight)).collect()
}

/// Resamples a recording at the lower rate, with `AXES` values per frame.
fn frames(recording: &Pickled) -> Result<Vec<f32>> {
    let (values, shape) = (numbers(recording, f64::from_le_bytes), &recording.1);
    let &[steps, AXES] = &shape[..] else { anyhow::bail!("a recording of shape {shape:?}") };
    ensure!(recording.3 && values.len() == steps * AXES, "a recording that is not stored axis by axis");
    let mut frames = Vec::new();
    for first in (0..=steps - FRAMES_TO_ONE).step_by(FRAMES_TO_ONE) {
        for axis in values.chunks_exact(steps) {
            let sum: f64 = axis[first..first + FRAMES_TO_ONE].iter().sum();
            frames.push((sum / FRAMES_TO_ONE as f64) as f32);
        }
    }
    Ok(frames)
}

/// Cuts all frames into bouts of random lengths.
fn cut(frames: &[f32], exercise: u8, rng: &mut ChaCha8Rng) -> Vec<Bout> {
    let mut rest = frames;
    let mut bouts = Vec::new();
    while !rest.is_empty() {
        let left = rest.len() / AXES;
        let length = rng.random_range(BOUT[0]..=BOUT[1]);
        let length = if left < length + BOUT[0] { left } else { length };
        let (bout, after) = rest.split_at(length * AXES);
        bouts.push(Bout { frames: bout.to_vec(), exercise });
        rest = after;
    }
    bouts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bouts_cover_a_recording_in_order_and_keep_their_lengths() {
        let recording: Vec<f32> = (0..500 * AXES).map(|k| k as f32).collect();
        let bouts = cut(&recording, 3, &mut ChaCha8Rng::seed_from_u64(1));
        assert_eq!(bouts.iter().flat_map(|bout| bout.frames.clone()).collect::<Vec<_>>(), recording);
        let lengths: Vec<usize> = bouts.iter().map(|bout| bout.frames.len() / AXES).collect();
        assert!(lengths.iter().all(|length| (40..120).contains(length)), "{lengths:?}");
        assert!(lengths.iter().any(|length| lengths[0] != *length));
    }

    #[test]
    fn a_frame_is_the_mean_of_five() {
        // Twelve frames, axis after axis: axis k counts from 100 k.
        let values = (0..AXES).flat_map(|axis| (0..12).map(move |t| (100 * axis + t) as f64));
        let bytes: Vec<u8> = values.flat_map(f64::to_le_bytes).collect();
        let recording = (IgnoredAny, vec![12, AXES], IgnoredAny, true, ByteBuf::from(bytes));
        let low: Vec<f32> =
            [2.0, 7.0].iter().flat_map(|t| (0..AXES).map(move |axis| 100.0 * axis as f32 + t)).collect();
        assert_eq!(frames(&recording).unwrap(), low);
    }
}
