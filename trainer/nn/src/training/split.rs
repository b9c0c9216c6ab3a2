//! The parts of a data set: the weights are trained on the first, choices between them are made by the
//! second, and the third is scored once, at the end.

use anyhow::{Result, ensure};
use rand::seq::SliceRandom;

use super::grouped::Groups;
use crate::config::Config;
use crate::data::{Data, Dataset, Targets};
use crate::initializers::{Purpose, stream};

/// The parts of the data of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// The sequences that the network is trained on.
    pub train: Dataset,
    /// The sequences that it is scored on after each epoch.
    pub validation: Option<Dataset>,
    /// The sequences that the trained network is scored on, once.
    pub test: Option<Dataset>,
}

/// One of several validations, each with other sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fold {
    /// The number of the fold, from 0 on.
    pub number: usize,
    /// The number of all folds, at least 2.
    pub of: usize,
}

impl Parts {
    /// Splits the validation part off the training part, if the config does and the data has none of its own.
    pub fn new(data: Data, config: &Config, seed: u64) -> Result<Self> {
        config.check_classes(&data.train)?;
        let share = config.validation_share(data.validation.is_some())?;
        if share == 0.0 {
            let Data { train, validation, test, .. } = data;
            return Self { train, validation, test }.weighted(config);
        }
        let count = data.train.sequences.len();
        let held = (count as f64 * share).ceil() as usize;
        let name = &data.train.frames_name;
        ensure!(held < count, "{name}: {count} sequences are too few for a validation_split of {share}");
        let held = match config.windows()? {
            Some(_) => (count - held..count).collect(),
            None if data.train.groups.is_some() => Groups::new(&data.train, seed).held(share)?,
            None => stratified(&data.train, held, seed),
        };
        Self::without(data, &held).weighted(config)
    }

    /// Splits off the sequences of a fold: each sequence is in exactly one of them. The test part is left
    /// alone, for the network that is chosen in the end. The folds of a series are rejected, as a network
    /// must not be trained on what follows its validation.
    pub fn fold(data: Data, config: &Config, fold: Fold, seed: u64) -> Result<Self> {
        let series = config.windows()?.is_some();
        ensure!(!series, "data.split_date: a series has no folds, as they would be trained on the future");
        ensure!(data.validation.is_none(), "x_val: not used by folds, which split x_train");
        let (name, count) = (&data.train.frames_name, data.train.sequences.len());
        ensure!(fold.of <= count, "{name}: {count} sequences are too few for {} folds", fold.of);
        let mut held: Vec<usize> = match data.train.groups {
            Some(_) => Groups::new(&data.train, seed).fold(fold.number, fold.of)?,
            None => {
                let dealt = strata(&data.train, seed).concat();
                dealt.into_iter().skip(fold.number).step_by(fold.of).collect()
            }
        };
        held.sort_unstable();
        Self::without(Data { test: None, ..data }, &held).weighted(config)
    }

    /// Applies the weights of the classes to the training part.
    fn weighted(mut self, config: &Config) -> Result<Self> {
        config.weigh_classes(&mut self.train)?;
        Ok(self)
    }

    /// Moves the sequences with these numbers, in increasing order, from the training to the validation part.
    fn without(data: Data, held: &[usize]) -> Self {
        let others = (0..data.train.sequences.len()).filter(|s| held.binary_search(s).is_err());
        let others: Vec<usize> = others.collect();
        let [train, validation] = [&others[..], held].map(|numbers| data.train.select(numbers));
        Self { train, validation: Some(validation), test: data.test }
    }
}

/// Returns the numbers of the sequences of each class, in the order of a shuffle; without a class per
/// sequence, those of all sequences.
fn strata(data: &Dataset, seed: u64) -> Vec<Vec<usize>> {
    let count = data.sequences.len();
    let mut strata = match &data.targets {
        Targets::Labels(labels) if !data.per_frame => {
            let mut strata = vec![Vec::new(); data.width()];
            (0..count).for_each(|s| strata[labels[s] as usize].push(s));
            strata
        }
        _ => vec![(0..count).collect()],
    };
    let mut rng = stream(seed, Purpose::Split, 0);
    strata.iter_mut().for_each(|stratum| stratum.shuffle(&mut rng));
    strata
}

/// Draws `held` sequences, of each class its share to within one sequence, and never all of a class where
/// that can be avoided. Shares are rounded by the largest remainders.
fn stratified(data: &Dataset, held: usize, seed: u64) -> Vec<usize> {
    let (strata, count) = (strata(data, seed), data.sequences.len());
    let mut takes: Vec<usize> = strata.iter().map(|stratum| stratum.len() * held / count).collect();
    let mut classes: Vec<usize> = (0..strata.len()).filter(|&class| !strata[class].is_empty()).collect();
    // A sequence that is the only one of its class is needed more for training.
    classes.sort_by_key(|&class| {
        let size = strata[class].len();
        (takes[class] + 1 >= size, std::cmp::Reverse(size * held % count))
    });
    let missing = held - takes.iter().sum::<usize>();
    classes.iter().take(missing).for_each(|&class| takes[class] += 1);
    let mut chosen: Vec<usize> =
        strata.iter().zip(takes).flat_map(|(stratum, take)| &stratum[..take]).copied().collect();
    chosen.sort_unstable();
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Array, Values};

    /// Returns sequences of one frame, whose value is their number, in these classes.
    fn data(labels: &[i64]) -> Data {
        let count = labels.len();
        let frames = (0..count).map(|s| s as f32).collect();
        let x = Array { shape: vec![count, 1, 1], values: Values::Floats(frames) };
        let y = Array { shape: vec![count], values: Values::Integers(labels.to_vec()) };
        let train = Dataset::from_arrays(x, None, y, ["x", "y"]).unwrap();
        Data { train, validation: None, test: None, labels: Vec::new() }
    }

    fn config(data: &str) -> Config {
        let text = format!(
            "name = 'n'\ndata = {{ file = {data} }}\ntraining = {{ loss = 'mse', epochs = 1 }}\n\
             [[layers]]\ntype = 'Dense'\nunits = 1"
        );
        toml::from_str(&text).unwrap()
    }

    /// Returns the numbers and the labels of a part.
    fn rows(data: &Dataset) -> Vec<(usize, u32)> {
        let Targets::Labels(labels) = &data.targets else { panic!("classes") };
        data.sequences.frames().iter().map(|&x| x as usize).zip(labels.iter().copied()).collect()
    }

    /// Returns labels that are sorted: 50 of class 0, 30 of class 1, 10 of class 2 and one of class 4.
    fn sorted() -> Vec<i64> {
        [vec![0; 50], vec![1; 30], vec![2; 10], vec![4]].concat()
    }

    #[test]
    fn every_class_has_its_share_in_both_parts() {
        let split = |seed| Parts::new(data(&sorted()), &config("'d.npz'"), seed).unwrap();
        let parts = split(3);
        let [train, validation] = [&parts.train, parts.validation.as_ref().unwrap()].map(rows);
        let count = |rows: &[(usize, u32)], class| rows.iter().filter(|row| row.1 == class).count();
        // 91 * 0.2 is 18.2, of which the whole shares are 10.4, 6.3, 2.1 and 0.2.
        assert_eq!([0, 1, 2, 4].map(|class| count(&validation, class)), [11, 6, 2, 0]);
        let mut all = [train, validation.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, sorted().iter().map(|&c| c as u32).enumerate().collect::<Vec<_>>());
        assert!(split(3) == parts && split(4) != parts);
        assert_ne!(validation[..11], (39..50).map(|s| (s, 0)).collect::<Vec<_>>());
    }

    #[test]
    fn the_last_windows_of_a_series_are_the_validation() {
        let config = config("'d.csv', split_date = '2000-01', window = 3");
        let config = Config { layers: vec![toml::from_str("type = 'Dense'\nunits = 1").unwrap()], ..config };
        let parts = Parts::new(data(&[0; 10]), &config, 5).unwrap();
        assert_eq!(parts.validation.unwrap().sequences.frames(), [8.0, 9.0]);
        assert!(Parts::fold(data(&[0; 10]), &config, Fold { number: 0, of: 2 }, 5).is_err());
    }

    #[test]
    fn each_sequence_is_in_one_fold_and_folds_are_stratified() {
        let fold = |number| {
            let parts = Parts::fold(data(&sorted()), &config("'d.npz'"), Fold { number, of: 5 }, 7);
            rows(&parts.unwrap().validation.unwrap())
        };
        let mut all: Vec<_> = (0..5).flat_map(fold).collect();
        for held in (0..5).map(fold) {
            let zeros = held.iter().filter(|row| row.1 == 0).count();
            assert!(zeros == 10 && (18..=19).contains(&held.len()), "{held:?}");
        }
        all.sort_unstable();
        assert_eq!(all.iter().map(|row| row.0).collect::<Vec<_>>(), (0..91).collect::<Vec<_>>());
    }

    #[test]
    fn impossible_splits_are_rejected() {
        let reason = |parts: Result<Parts>| format!("{:#}", parts.unwrap_err());
        assert_eq!(
            reason(Parts::new(data(&[0]), &config("'d.npz'"), 0)),
            "x: 1 sequences are too few for a validation_split of 0.2"
        );
        let many = Fold { number: 0, of: 3 };
        assert_eq!(
            reason(Parts::fold(data(&[0, 1]), &config("'d.npz'"), many, 0)),
            "x: 2 sequences are too few for 3 folds"
        );
        let given = Data { validation: Some(data(&[1]).train), ..data(&[0, 1]) };
        let split = config("'d.npz', validation_split = 0.5");
        assert_eq!(
            reason(Parts::new(given, &split, 0)),
            "data.validation_split: 0.5, but the file has x_val"
        );
    }
}
