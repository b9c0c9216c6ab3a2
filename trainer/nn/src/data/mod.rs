//! Labeled sequences, read from files of several formats and checked once.

mod batch;
mod describe;
mod groups;
mod idx;
mod input;
mod input_kind;
mod names;
mod npy;
mod npz;
mod one_hot;
mod pairs;
mod parts;
mod series;
mod source;
mod spacing;
mod table;
mod ts;
mod weights;

pub use batch::{Batch, TeacherForced, pack};
pub use input::Input;
pub use input_kind::InputKind;
pub use npy::{Array, MOST_VALUES, Values, read_npy, write_npy};
pub use parts::is_masked;
pub use series::{Series, parse_date};

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use names::{check_names, part_names};
use source::Source;

/// Sequences of frames, of any lengths, all frames one after another.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequences {
    /// Values per frame.
    pub features: usize,
    frames: Vec<f32>,
    /// `start[s]..start[s + 1]` are the frames of sequence `s`.
    start: Vec<usize>,
}

/// The targets of a data set.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// One class each.
    Labels(Vec<u32>),
    /// Values, `width` each.
    Values {
        /// The number of values per target.
        width: usize,
        /// All values, one after another.
        values: Vec<f32>,
    },
    /// A target sequence of classes for each sequence, of its own length, which a decoder generates. Class 0,
    /// which marks start and end, is not stored in it.
    Sequences(Sequences),
}

/// Sequences and their targets: one per sequence, or one per frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// The inputs.
    pub sequences: Sequences,
    /// The targets.
    pub targets: Targets,
    /// The weights of the targets in the loss: one per target, of target sequences one per sequence. `None`
    /// if all are 1.
    pub weights: Option<Vec<f32>>,
    /// The group of each sequence, which no split separates from the others of its group.
    pub groups: Option<Vec<i64>>,
    /// `true` if there is a target for every frame.
    pub per_frame: bool,
    /// The name of the array of frames in its file.
    pub frames_name: String,
    /// The name of the array of targets in its file.
    pub targets_name: String,
}

/// The content of a data file.
#[derive(Debug)]
pub struct Data {
    /// The training part: `x_train`, or `x`.
    pub train: Dataset,
    /// The validation part: `x_val`.
    pub validation: Option<Dataset>,
    /// The test part: `x_test`.
    pub test: Option<Dataset>,
    /// The names of the classes, if the targets of the file are texts.
    pub labels: Vec<String>,
}

impl Sequences {
    /// Returns the number of sequences.
    pub fn len(&self) -> usize {
        self.start.len() - 1
    }

    /// Returns `true` if there are no sequences.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns all frames, one after another.
    pub fn frames(&self) -> &[f32] {
        &self.frames
    }

    /// Returns the frames of sequence `s`, `features` values each.
    pub fn get(&self, s: usize) -> &[f32] {
        &self.frames[self.start[s] * self.features..self.start[s + 1] * self.features]
    }

    /// Returns the number of frames of sequence `s`.
    pub fn steps(&self, s: usize) -> usize {
        self.start[s + 1] - self.start[s]
    }

    /// Builds sequences from `[n, time, features]`, `[n, time]` of one feature or of ids, or from all frames
    /// one after another, `[frames, features]` or `[frames]`. `steps` is the number of steps of each
    /// sequence, which the last two need. If it is given, an array with as many rows as steps in total holds
    /// frames, and one with as many rows as sequences is padded.
    pub fn from_arrays(x: Array, steps: Option<Array>) -> Result<Self> {
        let steps = steps.map(lengths).transpose()?;
        Self::with_steps(padded(x, steps.as_deref()), steps)
    }

    /// Builds sequences from the result of [`padded`].
    fn with_steps(x: Array, steps: Option<Vec<usize>>) -> Result<Self> {
        ensure!(!x.shape.contains(&0), "empty: its shape is {:?}", x.shape);
        let shape = x.shape.clone();
        match (&shape[..], steps) {
            (&[frames], Some(steps)) => Self::with_steps(Array { shape: vec![frames, 1], ..x }, Some(steps)),
            (&[frames, features], Some(steps)) => {
                let sum = steps.iter().fold(0usize, |sum, &s| sum.saturating_add(s));
                ensure!(sum == frames, "holds {frames} frames, but the lengths add up to {sum}");
                Ok(Self { features, frames: x.into_floats(), start: starts(&steps) })
            }
            (&[n, time, features], steps) => {
                let steps = steps.unwrap_or_else(|| vec![time; n]);
                ensure!(steps.len() == n, "holds {n} sequences, but there are {} lengths", steps.len());
                if let Some(s) = steps.iter().position(|&s| s > time) {
                    bail!("has {time} steps, but sequence {s} has length {}", steps[s]);
                }
                let frames = keep_valid(&x.into_floats(), &steps, time * features, features);
                Ok(Self { features, frames, start: starts(&steps) })
            }
            _ => bail!(
                "its shape is {shape:?}, not [n, time, features], [n, time], \
                 or [frames, features] with lengths"
            ),
        }
    }
}

/// Reshapes `[n, time]` to `[n, time, 1]`, the shape of all padded sequences from here on.
fn padded(mut x: Array, steps: Option<&[usize]>) -> Array {
    let rows = x.shape.first().copied().unwrap_or(0);
    let of_frames = |steps: &[usize]| steps.len() != rows || steps.iter().all(|&s| s == 1);
    if x.shape.len() == 2 && !steps.is_some_and(of_frames) {
        x.shape.push(1);
    }
    x
}

/// Reads the number of steps of each sequence from an array of lengths.
fn lengths(array: Array) -> Result<Vec<usize>> {
    let Values::Integers(values) = &array.values else { bail!("the lengths are not integers") };
    ensure!(array.shape.len() == 1, "the lengths have shape {:?}, not [n]", array.shape);
    if let Some(s) = values.iter().position(|&value| value < 1) {
        bail!("sequence {s} has length {}", values[s]);
    }
    Ok(values.iter().map(|&value| value as usize).collect())
}

fn starts(steps: &[usize]) -> Vec<usize> {
    let ends = steps.iter().scan(0, |sum, &s| {
        *sum += s;
        Some(*sum)
    });
    std::iter::once(0).chain(ends).collect()
}

/// Returns the first `steps[s]` times `width` of every `stride` values.
fn keep_valid<T: Copy>(values: &[T], steps: &[usize], stride: usize, width: usize) -> Vec<T> {
    values.chunks_exact(stride).zip(steps).flat_map(|(row, &s)| &row[..s * width]).copied().collect()
}

impl Dataset {
    /// Builds a data set from the arrays of [`Sequences::from_arrays`] and `y`: integers are classes, floats
    /// are values; one per sequence, or one per frame in the layout of `x`. `names` are those of `x` and `y`
    /// in errors.
    pub fn from_arrays(x: Array, steps: Option<Array>, y: Array, names: [&str; 2]) -> Result<Self> {
        let place = || names[0].to_owned();
        let steps = steps.map(lengths).transpose().with_context(place)?;
        let x = padded(x, steps.as_deref());
        // Padded arrays have a time axis; frames one after another have none.
        let time = (x.shape.len() == 3).then(|| x.shape[1]);
        let y = one_hot::labels(y, time);
        let sequences = Sequences::with_steps(x, steps).with_context(place)?;
        let read = || -> Result<(Targets, bool)> {
            let rows = y.shape.first().copied().unwrap_or(0);
            let (n, frames) = (sequences.len(), sequences.start[sequences.len()]);
            let integers = matches!(y.values, Values::Integers(_));
            let per_frame = match (&y.shape[..], time) {
                (&[_, t], Some(time)) if integers => t == time && rows == n,
                (&[_, t, _], Some(time)) => t == time && rows == n,
                _ => rows == frames && rows != n,
            };
            let hint = match time == Some(rows) {
                true => "; the frames may be transposed: their axes are [n, time, features]",
                false => "",
            };
            ensure!(
                per_frame || rows == n,
                "its shape is {:?}, but there are {n} sequences of {frames} frames in all{hint}",
                y.shape
            );
            let axes = y.shape.len() - usize::from(per_frame && time.is_some());
            ensure!(axes == 1 || (axes == 2 && !integers), "its shape is {:?}, not [n] or [n, out]", y.shape);
            let width = if axes == 2 { y.shape[y.shape.len() - 1] } else { 1 };
            ensure!(width > 0, "empty: its shape is {:?}", y.shape);
            let padded = time.filter(|_| per_frame).map(|time| (&sequences, time));
            Ok((targets(y, width, padded)?, per_frame))
        };
        let (targets, per_frame) = read().with_context(|| names[1].to_owned())?;
        let [frames_name, targets_name] = names.map(str::to_owned);
        Ok(Self { sequences, targets, weights: None, groups: None, per_frame, frames_name, targets_name })
    }

    /// Returns the number of classes that the labels contain, or of values per target.
    pub fn width(&self) -> usize {
        match &self.targets {
            Targets::Labels(labels) => labels.iter().max().map_or(0, |&label| label as usize + 1),
            Targets::Values { width, .. } => *width,
            Targets::Sequences(y) => y.frames.iter().fold(0, |most, &id| most.max(id as usize + 1)),
        }
    }

    /// Returns the number of outputs that sequence `s` has targets for; a target sequence has one per id, and
    /// one for the end.
    pub fn target_count(&self, s: usize) -> usize {
        match &self.targets {
            Targets::Sequences(y) => y.steps(s) + 1,
            _ if self.per_frame => self.sequences.steps(s),
            _ => 1,
        }
    }
}

/// Reads the targets of `y`; if they are padded as the frames are, without the padding.
fn targets(y: Array, width: usize, padded: Option<(&Sequences, usize)>) -> Result<Targets> {
    let index = |position| y.index(position);
    let labels = match &y.values {
        Values::Integers(values) => {
            if let Some(k) = values.iter().position(|&v| !(0..=i64::from(u16::MAX)).contains(&v)) {
                bail!("label {} at {} is out of range", values[k], index(k));
            }
            Some(values.iter().map(|&value| value as u32).collect::<Vec<_>>())
        }
        Values::Floats(_) => None,
    };
    let steps: Vec<usize> =
        padded.map(|(x, _)| (0..x.len()).map(|s| x.steps(s)).collect()).unwrap_or_default();
    Ok(match (labels, padded) {
        (Some(labels), None) => Targets::Labels(labels),
        (Some(labels), Some((_, time))) => Targets::Labels(keep_valid(&labels, &steps, time, 1)),
        (None, None) => Targets::Values { width, values: y.into_floats() },
        (None, Some((_, time))) => {
            Targets::Values { width, values: keep_valid(&y.into_floats(), &steps, time * width, width) }
        }
    })
}

impl Data {
    /// Reads a file in any of the formats of docs/training.md. `classes` are the names of classes for targets
    /// that are texts, in their order.
    ///
    /// The arrays are `x_train, y_train[, len_train]` and, where they are there, the same arrays with the
    /// suffixes `_val` and `_test`; or `x, y[, len]`. With `len_y_train` and so on the targets are sequences
    /// with their own lengths. Other arrays are rejected, except texts.
    pub fn read(path: &Path, classes: &[String]) -> Result<Self> {
        let read = || -> Result<Self> {
            let mut npz = Source::open(path, classes)?;
            let mut parts = match (npz.has("x_train"), npz.has("x")) {
                (true, _) => vec!["_train"],
                (false, true) => vec![""],
                (false, false) => bail!("contains neither x_train nor x"),
            };
            if parts == ["_train"] {
                parts.extend(["_val", "_test"].into_iter().filter(|part| npz.has(&format!("x{part}"))));
            }
            check_names(&mut npz, &parts)?;
            let train = dataset(&mut npz, parts[0])?;
            let mut other = |name: &&str| -> Result<Option<Dataset>> {
                if !parts.contains(name) {
                    return Ok(None);
                }
                let part = dataset(&mut npz, name)?;
                train.check_like(&part, name)?;
                Ok(Some(part))
            };
            let (validation, test) = (other(&"_val")?, other(&"_test")?);
            Ok(Self { train, validation, test, labels: npz.classes })
        };
        read().with_context(|| path.display().to_string())
    }
}

impl Dataset {
    /// Reads the part of a file that a model is evaluated on: the test part if there is one, which may be
    /// alone in the file. The names of all arrays are checked as by [`Data::read`].
    ///
    /// # Errors
    /// Unknown or missing arrays, or unsuitable ones, by name.
    pub fn read_test(path: &Path, classes: &[String]) -> Result<Self> {
        let read = || -> Result<Self> {
            let mut npz = Source::open(path, classes)?;
            let mut parts = match (npz.has("x_test"), npz.has("x_train"), npz.has("x")) {
                (true, true, _) => vec!["_test", "_train"],
                (true, false, false) => vec!["_test"],
                (false, true, _) => vec!["_train"],
                (_, false, true) => vec![""],
                (false, false, false) => bail!("contains neither x_test nor x_train nor x"),
            };
            if npz.has("x_train") && npz.has("x_val") {
                parts.push("_val");
            }
            check_names(&mut npz, &parts)?;
            dataset(&mut npz, parts[0])
        };
        read().with_context(|| path.display().to_string())
    }

    /// Rejects another part, by the suffix of its arrays, whose frames or targets differ in kind.
    fn check_like(&self, other: &Self, part: &str) -> Result<()> {
        let (ours, theirs) = (self.sequences.features, other.sequences.features);
        ensure!(ours == theirs, "x{part}: {theirs} features per frame, but x_train has {ours}");
        let same = match (&self.targets, &other.targets) {
            (Targets::Labels(_), Targets::Labels(_)) => true,
            (Targets::Values { width, .. }, Targets::Values { width: others, .. }) => width == others,
            (Targets::Sequences(_), Targets::Sequences(_)) => true,
            _ => false,
        };
        ensure!(same && self.per_frame == other.per_frame, "y{part}: its kind differs from that of y_train");
        Ok(())
    }
}

/// Returns `true` if the frames of a data file are ids: integers in `[n, time]`, or `[frames]` with lengths.
pub fn has_ids(path: &Path) -> Result<bool> {
    let read = || -> Result<bool> {
        let mut npz = Source::open(path, &[])?;
        let name = if npz.has("x_train") { "x_train" } else { "x" };
        let Array { shape, values } = npz.array(name)?;
        let Values::Integers(ids) = values else { return Ok(false) };
        Ok(shape.len() <= 2 && ids.iter().all(|&id| (0..=i64::from(u16::MAX)).contains(&id)))
    };
    read().with_context(|| path.display().to_string())
}

fn dataset(npz: &mut Source, part: &str) -> Result<Dataset> {
    let [x, y, len, len_y, weights, groups] = part_names(part);
    let (frames, steps, targets) = (npz.array(&x)?, npz.optional(&len)?, npz.array(&y)?);
    let data = match npz.optional(&len_y)? {
        Some(lengths) => Dataset::from_pairs(frames, steps, targets, lengths, [&x, &y]),
        None => Dataset::from_arrays(frames, steps, targets, [&x, &y]),
    }?;
    let data = match npz.optional(&weights)? {
        Some(array) => data.with_weights(array).context(weights)?,
        None => data,
    };
    match npz.optional(&groups)? {
        Some(array) => data.with_groups(array).context(groups),
        None => Ok(data),
    }
}

#[cfg(test)]
mod tests;
