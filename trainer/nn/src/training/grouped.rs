//! Splits that keep the sequences of a group together, and the shares of the classes as far as groups allow.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use rand::seq::SliceRandom;

use crate::data::{Dataset, Targets};
use crate::initializers::{Purpose, stream};

/// The groups of a data set.
pub(super) struct Groups<'a> {
    data: &'a Dataset,
    /// The groups in the order of a shuffle.
    groups: Vec<Group>,
    /// The number of sequences of each class; without a class per sequence, of all.
    classes: Vec<f64>,
}

/// The sequences of a group.
struct Group {
    numbers: Vec<usize>,
    /// The number of sequences of each class.
    classes: Vec<f64>,
}

impl<'a> Groups<'a> {
    pub(super) fn new(data: &'a Dataset, seed: u64) -> Self {
        let labels = match &data.targets {
            Targets::Labels(labels) if !data.per_frame => Some(labels),
            _ => None,
        };
        let count = labels.map_or(1, |_| data.width());
        let class = |s: usize| labels.map_or(0, |labels| labels[s] as usize);
        let mut found: BTreeMap<i64, Group> = BTreeMap::new();
        for (s, &group) in data.groups.iter().flatten().enumerate() {
            let own = || Group { numbers: Vec::new(), classes: vec![0.0; count] };
            let group = found.entry(group).or_insert_with(own);
            group.numbers.push(s);
            group.classes[class(s)] += 1.0;
        }
        let mut groups: Vec<Group> = found.into_values().collect();
        groups.shuffle(&mut stream(seed, Purpose::Split, 0));
        let mut classes = vec![0.0; count];
        groups.iter().for_each(|group| add(&mut classes, &group.classes));
        Self { data, groups, classes }
    }

    /// Rejects fewer groups than parts.
    fn check(&self, parts: usize, what: &str) -> Result<()> {
        let (name, count) = (&self.data.frames_name, self.groups.len());
        ensure!(count >= parts, "{name}: {count} groups are too few for {what}");
        Ok(())
    }

    /// Returns the numbers of the sequences of some groups, in order: about `share` of each class. One group
    /// after another is taken, that which comes nearest to the shares, until none comes nearer.
    pub(super) fn held(mut self, share: f64) -> Result<Vec<usize>> {
        self.check(2, &format!("a validation_split of {share}"))?;
        let mut missing: Vec<f64> = self.classes.iter().map(|count| count * share).collect();
        let mut held = Vec::new();
        while self.groups.len() > 1 {
            let left = |group: &Group| -> f64 {
                missing.iter().zip(&group.classes).map(|(missing, own)| (missing - own).powi(2)).sum()
            };
            let distances: Vec<f64> = self.groups.iter().map(left).collect();
            let Some(nearest) = (0..distances.len()).min_by(|&a, &b| distances[a].total_cmp(&distances[b]))
            else {
                break;
            };
            let now: f64 = missing.iter().map(|missing| missing * missing).sum();
            if distances[nearest] >= now && !held.is_empty() {
                break;
            }
            let group = self.groups.remove(nearest);
            missing.iter_mut().zip(&group.classes).for_each(|(missing, own)| *missing -= own);
            held.extend(group.numbers);
        }
        held.sort_unstable();
        Ok(held)
    }

    /// Returns the numbers of the sequences of fold `number`. The largest groups are dealt first, each to the
    /// fold that has the least of its classes.
    pub(super) fn fold(mut self, number: usize, of: usize) -> Result<Vec<usize>> {
        self.check(of, &format!("{of} folds"))?;
        self.groups.sort_by_key(|group| std::cmp::Reverse(group.numbers.len()));
        let mut folds = vec![(vec![0.0; self.classes.len()], Vec::new()); of];
        for (k, group) in self.groups.into_iter().enumerate() {
            let cost = |fold: &(Vec<f64>, Vec<usize>)| -> f64 {
                let classes = fold.0.iter().zip(&group.classes).zip(&self.classes);
                classes.map(|((fold, own), all)| (2.0 * fold + own) * own / all.max(1.0)).sum()
            };
            // Each fold has a group.
            let nearest = (0..of).min_by(|&a, &b| cost(&folds[a]).total_cmp(&cost(&folds[b])));
            let nearest = if k < of { k } else { nearest.unwrap_or(0) };
            add(&mut folds[nearest].0, &group.classes);
            folds[nearest].1.extend(group.numbers);
        }
        Ok(folds.swap_remove(number).1)
    }
}

fn add(sum: &mut [f64], other: &[f64]) {
    sum.iter_mut().zip(other).for_each(|(sum, other)| *sum += other);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::data::{Array, Values};

    /// Returns 120 sequences of 2 classes in 24 groups of different sizes; a quarter is of class 1.
    fn data() -> Dataset {
        let integers =
            |values: Vec<i64>| Array { shape: vec![values.len()], values: Values::Integers(values) };
        let x = Array { shape: vec![120, 1, 1], values: Values::Floats(vec![0.0; 120]) };
        let labels = (0..120).map(|s| i64::from(s % 4 == 0)).collect();
        let groups = (0..120).map(|s| (s * s / 7 + s / 3) % 24 - 5).collect();
        Dataset::from_arrays(x, None, integers(labels), ["x", "y"])
            .unwrap()
            .with_groups(integers(groups))
            .unwrap()
    }

    fn groups_of(data: &Dataset, numbers: &[usize]) -> BTreeSet<i64> {
        numbers.iter().map(|&s| data.groups.as_ref().unwrap()[s]).collect()
    }

    fn positives(numbers: &[usize]) -> usize {
        numbers.iter().filter(|&&s| s % 4 == 0).count()
    }

    #[test]
    fn no_group_is_cut_and_classes_have_their_shares() {
        let data = data();
        for seed in 0..5 {
            let held = Groups::new(&data, seed).held(0.2).unwrap();
            let others: Vec<usize> = (0..120).filter(|s| !held.contains(s)).collect();
            assert!(groups_of(&data, &held).is_disjoint(&groups_of(&data, &others)));
            // 24 of 120 and 6 of 30.
            assert!(held.len().abs_diff(24) <= 2 && positives(&held).abs_diff(6) <= 2, "{held:?}");
        }
        let [a, b] = [0, 1].map(|seed| Groups::new(&data, seed).held(0.2).unwrap());
        assert_ne!(a, b);
    }

    #[test]
    fn each_group_is_in_one_fold_and_folds_are_about_equal() {
        let data = data();
        let folds: Vec<Vec<usize>> = (0..4).map(|k| Groups::new(&data, 3).fold(k, 4).unwrap()).collect();
        let mut all = folds.concat();
        all.sort_unstable();
        assert_eq!(all, (0..120).collect::<Vec<_>>());
        for (k, fold) in folds.iter().enumerate() {
            let own = groups_of(&data, fold);
            assert!(
                folds
                    .iter()
                    .enumerate()
                    .all(|(j, other)| j == k || own.is_disjoint(&groups_of(&data, other)))
            );
            assert!(fold.len().abs_diff(30) <= 6 && positives(fold).abs_diff(7) <= 3, "{fold:?}");
        }
    }

    #[test]
    fn too_few_groups_are_rejected() {
        let one = Dataset { groups: Some(vec![4; 120]), ..data() };
        let reason = Groups::new(&one, 0).held(0.2).unwrap_err().to_string();
        assert_eq!(reason, "x: 1 groups are too few for a validation_split of 0.2");
        let two = Dataset { groups: Some((0..120).map(|s| s % 2).collect()), ..data() };
        assert_eq!(Groups::new(&two, 0).held(0.2).unwrap().len(), 60);
        assert_eq!(
            Groups::new(&two, 0).fold(0, 3).unwrap_err().to_string(),
            "x: 2 groups are too few for 3 folds"
        );
    }
}
