//! Which arrays are a layer's.
//!
//! | file | where the kernel of the cell of the second LSTM is, which is called `zebra` |
//! |---|---|
//! | `.keras` | `layers/lstm_1/cell/vars/0`: the class in snake case, numbered in the order of the config |
//! | `.keras` of 2.13 | `_layer_checkpoint_dependencies/lstm_2/cell/vars/0`: the number goes up by two, as its dictionary has each layer with weights twice |
//! | `.h5` | `model_weights/zebra/zebra/lstm_cell/kernel:0`: the layer's name, and what it says in `weight_names`; from Keras 3 on without `:0` |
//!
//! A shape is never what finds an array, but every shape is checked.

use std::collections::{BTreeSet, HashMap};

use anyhow::{Context, Result, bail, ensure};

use super::hdf5::Hdf5;
use super::naming::{Directions, Part, is_in, leaf, snake_case};
use crate::import::Tensor;

/// An array that a layer has: its name and its shape.
pub type Wanted<'a> = (&'a str, Vec<usize>);

/// Arrays that hold the state of random numbers, which use does not need.
const RANDOM: [&str; 2] = ["seed_generator", "seed_generator_state"];

/// How deep groups go in that of a layer.
const MOST_DEPTH: usize = 4;

/// The weights in a file.
pub struct Weights {
    file: Hdf5,
    /// The group of the layers.
    root: String,
    /// In a `.keras` file how many numbers a layer with weights takes; none in a `.h5` file.
    numbers: Option<usize>,
    /// How many layers there were of each class.
    counts: HashMap<String, usize>,
    /// Groups of layers that were not asked for yet.
    left: BTreeSet<String>,
}

/// The weights of one layer.
pub struct LayerWeights<'a> {
    file: &'a Hdf5,
    group: String,
    /// Whether the file has such a group: older versions leave out those without arrays.
    there: bool,
    /// In a `.h5` file the names that were not asked for yet.
    names: Option<Vec<String>>,
    /// In a `.h5` file what the groups of the two directions can be called.
    directions: Directions,
    /// Which parts were asked for, and how many arrays each has.
    parts: Vec<(&'static [&'static str], usize)>,
}

impl Weights {
    /// Of `model.weights.h5` in a `.keras` file.
    ///
    /// # Errors
    /// No weights of layers.
    pub fn of_archive(file: Hdf5) -> Result<Self> {
        let groups = file.members("/")?.groups;
        let (root, numbers) = match () {
            () if groups.contains("layers") => ("/layers", 1),
            () if groups.contains("_layer_checkpoint_dependencies") => ("/_layer_checkpoint_dependencies", 2),
            () => bail!("layers: not there"),
        };
        if groups.contains("vars") {
            let own = file.members("/vars")?;
            ensure!(own.datasets.is_empty(), "vars: weights of no layer are not read");
        }
        let left = file.members(root)?.groups;
        Ok(Self { file, root: root.to_owned(), numbers: Some(numbers), counts: HashMap::new(), left })
    }

    /// Of a `.h5` file.
    ///
    /// # Errors
    /// No weights of layers.
    pub fn of_h5(file: Hdf5) -> Result<Self> {
        let root = "/model_weights".to_owned();
        let left = listed(&file, &root, "layer_names")?.into_iter().collect();
        let own = "top_level_model_weights";
        if file.members(&root)?.groups.contains(own) {
            let found = listed(&file, &format!("{root}/{own}"), "weight_names")?;
            ensure!(found.is_empty(), "{own} {}: weights of no layer are not read", found.join(" "));
        }
        Ok(Self { file, root, numbers: None, counts: HashMap::new(), left })
    }

    /// The group of the next layer of the config.
    pub fn group(&mut self, class: &str, name: &str, has_weights: bool) -> String {
        let Some(numbers) = self.numbers else { return name.to_owned() };
        let class = snake_case(class);
        let count = self.counts.entry(class.clone()).or_default();
        let own = if *count == 0 { class } else { format!("{class}_{count}") };
        *count += if has_weights { numbers } else { 1 };
        own
    }

    /// The weights in a group, which must be those of the layer with this name.
    ///
    /// # Errors
    /// A damaged file, or one that says that they are another layer's.
    pub fn layer(&mut self, own: &str, name: &str) -> Result<LayerWeights<'_>> {
        let group = format!("{}/{own}", self.root);
        let there = self.left.remove(own);
        let mut names = None;
        if self.numbers.is_none() {
            names = Some(if there { listed(&self.file, &group, "weight_names")? } else { Vec::new() });
        } else if there && self.file.members(&group)?.groups.contains("vars") {
            // Newer versions say whose they are: 3.8 does, 3.5 does not.
            let said = self.file.texts(&format!("{group}/vars"), "name")?;
            let same = said.as_ref().is_none_or(|said| said[..] == [name]);
            ensure!(same, "{group}: name {}: expected {name}", said.unwrap_or_default().join(" "));
        }
        Ok(LayerWeights {
            file: &self.file,
            group,
            there,
            names,
            directions: Default::default(),
            parts: Vec::new(),
        })
    }

    /// # Errors
    /// Weights of layers that the config does not have.
    pub fn finish(self) -> Result<()> {
        match self.left.first() {
            Some(name) => bail!("{}/{name}: weights of no layer in the config", self.root),
            None => Ok(()),
        }
    }
}

impl LayerWeights<'_> {
    /// Says what the layers of the two directions are called in the config, which may have one for both: Keras 3 writes these
    /// names, Keras 2 puts `forward_` and `backward_` before them.
    ///
    /// # Errors
    /// Names by which they cannot be told apart.
    pub fn directions(&mut self, forward: &str, backward: Option<&str>) -> Result<()> {
        let both = forward.strip_prefix("forward_").unwrap_or(forward);
        let backwards = match backward {
            Some(backward) => [backward.to_owned(), format!("backward_{backward}")],
            None => [format!("backward_{both}"), format!("backward_{forward}")],
        };
        self.directions = [[forward.to_owned(), format!("forward_{forward}")], backwards];
        let [ours, theirs] = &self.directions;
        ensure!(
            !ours.iter().any(|name| theirs.contains(name)),
            "layer: name {forward}: the backward layer's too"
        );
        Ok(())
    }

    /// The arrays of a part.
    ///
    /// # Errors
    /// Others than these, or other shapes.
    pub fn part<const N: usize>(&mut self, part: Part, wanted: [Wanted<'_>; N]) -> Result<[Tensor; N]> {
        let tensors = self.part_of(part, &wanted)?;
        Ok(tensors.try_into().expect("one for each"))
    }

    /// The arrays of a part, as many as there are.
    ///
    /// # Errors
    /// As [`Self::part`].
    pub fn part_of(&mut self, part: Part, wanted: &[Wanted<'_>]) -> Result<Vec<Tensor>> {
        ensure!(self.there || wanted.is_empty(), "{}: not in the file", self.group);
        let tensor = |path: String, shape: &[usize]| self.file.tensor(&path, shape);
        let Some(names) = &mut self.names else {
            self.parts.push((part.path(), wanted.len()));
            let group = [&[self.group.as_str()], part.path()].concat().join("/");
            let one =
                |(number, (_, shape)): (usize, &Wanted<'_>)| tensor(format!("{group}/vars/{number}"), shape);
            return wanted.iter().enumerate().map(one).collect();
        };
        let one = |(wanted, shape): &Wanted<'_>| {
            let is_it = |name: &String| leaf(name) == *wanted && is_in(name, part, &self.directions);
            let place = names.iter().position(is_it);
            let place = place.with_context(|| format!("{}: {wanted}: not in weight_names", self.group))?;
            tensor(format!("{}/{}", self.group, names.remove(place)), shape)
        };
        wanted.iter().map(one).collect()
    }

    /// # Errors
    /// Arrays that no part asked for.
    pub fn finish(self) -> Result<()> {
        if let Some(names) = self.names {
            let left = names.iter().find(|name| !RANDOM.contains(&leaf(name)));
            ensure!(left.is_none(), "{}: {}: not known", self.group, left.cloned().unwrap_or_default());
        } else if self.there {
            self.check_group(&self.group, &self.parts, MOST_DEPTH)?;
        }
        Ok(())
    }

    /// Checks that nothing but the arrays of these parts is in a group; their paths go on from there. Groups without arrays
    /// are left by layers without weights, and by those that are saved under another name.
    fn check_group(
        &self,
        group: &str,
        parts: &[(&'static [&'static str], usize)],
        depth: usize,
    ) -> Result<()> {
        let members = self.file.members(group)?;
        if let Some(name) = members.datasets.first() {
            bail!("{group}/{name}: not known");
        }
        ensure!(depth > 0, "{group}: too deep");
        for name in &members.groups {
            let path = format!("{group}/{name}");
            let inside: Vec<_> = parts
                .iter()
                .filter_map(|(path, count)| path.split_first().map(|(first, rest)| (*first, rest, *count)))
                .filter_map(|(first, rest, count)| (first == name).then_some((rest, count)))
                .collect();
            match name.as_str() {
                "vars" => {
                    let own = parts.iter().find(|(path, _)| path.is_empty()).map_or(0, |(_, count)| *count);
                    let found = self.file.members(&path)?.datasets.len();
                    ensure!(found == own, "{path}: {found} arrays, expected {own}");
                }
                name if RANDOM.contains(&name) => {}
                _ => self.check_group(&path, &inside, depth - 1)?,
            }
        }
        Ok(())
    }
}

/// A list of names in an attribute; a long one is split into `KEY0`, `KEY1` and so on.
fn listed(file: &Hdf5, group: &str, key: &str) -> Result<Vec<String>> {
    if let Some(names) = file.texts(group, key)? {
        return Ok(names);
    }
    let mut all = Vec::new();
    let mut pieces = 0;
    while let Some(names) = file.texts(group, &format!("{key}{pieces}"))? {
        all.extend(names);
        pieces += 1;
    }
    ensure!(pieces > 0, "{group}: {key}: missing");
    Ok(all)
}
