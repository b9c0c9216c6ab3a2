//! The arrays of each layer.
//!
//! The kernel of the cell of the second LSTM layer, which is named `zebra`:
//!
//! | file | path |
//! |---|---|
//! | `.keras` | `layers/lstm_1/cell/vars/0` |
//! | `.keras` of 2.13 | `_layer_checkpoint_dependencies/lstm_2/cell/vars/0` |
//! | `.h5` | `model_weights/zebra/zebra/lstm_cell/kernel:0` |
//!
//! In a `.keras` file the group has the class in snake case, numbered in the order of the config; in 2.13 the
//! number grows by two, as its dictionary contains each layer with weights twice. In an `.h5` file the group
//! has the layer's name, and the attribute `weight_names` lists the rest of the path, from Keras 3 on without
//! `:0`. Arrays are never found by their shapes, but every shape is checked.

use std::collections::{BTreeSet, HashMap};

use anyhow::{Context, Result, bail, ensure};

use super::hdf5::Hdf5;
use super::naming::{Directions, SubLayer, belongs_to, leaf, snake_case};
use crate::tensor::Tensor;

/// The name and the shape of an array.
pub type ExpectedArray<'a> = (&'a str, Vec<usize>);

/// Arrays of random number generators, without effect in inference.
const RANDOM_STATES: [&str; 2] = ["seed_generator", "seed_generator_state"];

/// The maximum depth of groups below that of a layer.
const MAX_DEPTH: usize = 4;

/// The weights in a file.
pub struct WeightStore {
    file: Hdf5,
    /// The group that contains the layers.
    root: String,
    /// In a `.keras` file, the numbers that a layer with weights takes; `None` in an `.h5` file.
    numbers: Option<usize>,
    /// The numbers taken so far, by class.
    counts: HashMap<String, usize>,
    /// The groups of layers that have not been read yet.
    unread: BTreeSet<String>,
}

/// The weights of one layer.
pub struct LayerWeights<'a> {
    file: &'a Hdf5,
    group: String,
    /// Whether the file has the group: older versions leave out groups without arrays.
    exists: bool,
    /// In an `.h5` file, the names that have not been read yet.
    names: Option<Vec<String>>,
    /// In an `.h5` file, the possible names of the groups of both directions.
    directions: Directions,
    /// The sub-layers read so far, and their numbers of arrays.
    sub_layers: Vec<(&'static [&'static str], usize)>,
}

impl WeightStore {
    /// Opens `model.weights.h5` of a `.keras` file.
    ///
    /// # Errors
    /// A file without the weights of layers.
    pub fn of_archive(file: Hdf5) -> Result<Self> {
        let groups = file.members("/")?.groups;
        let (root, numbers) = match () {
            () if groups.contains("layers") => ("/layers", 1),
            () if groups.contains("_layer_checkpoint_dependencies") => ("/_layer_checkpoint_dependencies", 2),
            () => bail!("layers: missing"),
        };
        if groups.contains("vars") {
            let own = file.members("/vars")?;
            ensure!(own.datasets.is_empty(), "vars: weights outside of layers are not supported");
        }
        let unread = file.members(root)?.groups;
        Ok(Self { file, root: root.to_owned(), numbers: Some(numbers), counts: HashMap::new(), unread })
    }

    /// Opens an `.h5` file.
    ///
    /// # Errors
    /// A file without the weights of layers.
    pub fn of_h5(file: Hdf5) -> Result<Self> {
        let root = "/model_weights".to_owned();
        let unread = string_list(&file, &root, "layer_names")?.into_iter().collect();
        let own = "top_level_model_weights";
        if file.members(&root)?.groups.contains(own) {
            let found = string_list(&file, &format!("{root}/{own}"), "weight_names")?;
            ensure!(
                found.is_empty(),
                "{own} {}: weights outside of layers are not supported",
                found.join(" ")
            );
        }
        Ok(Self { file, root, numbers: None, counts: HashMap::new(), unread })
    }

    /// Returns the name of the group of the next layer in the config.
    pub fn group(&mut self, class: &str, name: &str, has_weights: bool) -> String {
        let Some(numbers) = self.numbers else { return name.to_owned() };
        let class = snake_case(class);
        let count = self.counts.entry(class.clone()).or_default();
        let own = if *count == 0 { class } else { format!("{class}_{count}") };
        *count += if has_weights { numbers } else { 1 };
        own
    }

    /// Returns the weights in a group, which must be those of the layer with this name.
    ///
    /// # Errors
    /// A damaged file, or a group that belongs to another layer.
    pub fn layer(&mut self, own: &str, name: &str) -> Result<LayerWeights<'_>> {
        let group = format!("{}/{own}", self.root);
        let exists = self.unread.remove(own);
        let mut names = None;
        if self.numbers.is_none() {
            names = Some(if exists { string_list(&self.file, &group, "weight_names")? } else { Vec::new() });
        } else if exists && self.file.members(&group)?.groups.contains("vars") {
            // Newer versions store the name of the layer: 3.8 does, 3.5 does not.
            let stored = self.file.strings(&format!("{group}/vars"), "name")?;
            let same = stored.as_ref().is_none_or(|stored| stored[..] == [name]);
            ensure!(same, "{group}: name {}: expected {name}", stored.unwrap_or_default().join(" "));
        }
        Ok(LayerWeights {
            file: &self.file,
            group,
            exists,
            names,
            directions: Default::default(),
            sub_layers: Vec::new(),
        })
    }

    /// Checks that the weights of all layers have been read.
    ///
    /// # Errors
    /// Weights of a layer that the config does not have.
    pub fn finish(self) -> Result<()> {
        match self.unread.first() {
            Some(name) => bail!("{}/{name}: weights of a layer that the config does not have", self.root),
            None => Ok(()),
        }
    }
}

impl LayerWeights<'_> {
    /// Sets the names of the layers of both directions in the config, which may have one name for both: Keras
    /// 3 writes these names, Keras 2 prepends `forward_` and `backward_`.
    ///
    /// # Errors
    /// Names that do not distinguish the directions.
    pub fn set_directions(&mut self, forward: &str, backward: Option<&str>) -> Result<()> {
        let both = forward.strip_prefix("forward_").unwrap_or(forward);
        let backwards = match backward {
            Some(backward) => [backward.to_owned(), format!("backward_{backward}")],
            None => [format!("backward_{both}"), format!("backward_{forward}")],
        };
        self.directions = [[forward.to_owned(), format!("forward_{forward}")], backwards];
        let [forwards, backwards] = &self.directions;
        ensure!(
            !forwards.iter().any(|name| backwards.contains(name)),
            "layer: name {forward}: also the name of the backward layer"
        );
        Ok(())
    }

    /// Reads the arrays of a sub-layer.
    ///
    /// # Errors
    /// Other arrays than these, or other shapes.
    pub fn array_tuple<const N: usize>(
        &mut self,
        sub_layer: SubLayer,
        expected: [ExpectedArray<'_>; N],
    ) -> Result<[Tensor; N]> {
        let tensors = self.arrays(sub_layer, &expected)?;
        Ok(tensors.try_into().expect("one tensor per expected array"))
    }

    /// Reads the arrays of a sub-layer, a number known at run time.
    ///
    /// # Errors
    /// Other arrays than these, or other shapes.
    pub fn arrays(&mut self, sub_layer: SubLayer, expected: &[ExpectedArray<'_>]) -> Result<Vec<Tensor>> {
        ensure!(self.exists || expected.is_empty(), "{}: not in the file", self.group);
        let tensor = |path: String, shape: &[usize]| self.file.tensor(&path, shape);
        let Some(names) = &mut self.names else {
            self.sub_layers.push((sub_layer.path(), expected.len()));
            let group = [&[self.group.as_str()], sub_layer.path()].concat().join("/");
            let numbered = |(number, (_, shape)): (usize, &ExpectedArray<'_>)| {
                tensor(format!("{group}/vars/{number}"), shape)
            };
            return expected.iter().enumerate().map(numbered).collect();
        };
        let named = |(name, shape): &ExpectedArray<'_>| {
            let matches =
                |found: &String| leaf(found) == *name && belongs_to(found, sub_layer, &self.directions);
            let index = names.iter().position(matches);
            let index = index.with_context(|| format!("{}: {name}: not in weight_names", self.group))?;
            tensor(format!("{}/{}", self.group, names.remove(index)), shape)
        };
        expected.iter().map(named).collect()
    }

    /// Checks that all arrays of the layer have been read.
    ///
    /// # Errors
    /// An array that is left.
    pub fn finish(self) -> Result<()> {
        if let Some(names) = self.names {
            let unread = names.iter().find(|name| !RANDOM_STATES.contains(&leaf(name)));
            ensure!(
                unread.is_none(),
                "{}: {}: unexpected array",
                self.group,
                unread.cloned().unwrap_or_default()
            );
        } else if self.exists {
            self.check_group(&self.group, &self.sub_layers, MAX_DEPTH)?;
        }
        Ok(())
    }

    /// Checks that a group contains nothing but the arrays of these sub-layers, whose paths start here.
    /// Layers without weights, and layers that are saved under another name, leave groups without arrays.
    fn check_group(
        &self,
        group: &str,
        sub_layers: &[(&'static [&'static str], usize)],
        depth: usize,
    ) -> Result<()> {
        let members = self.file.members(group)?;
        if let Some(name) = members.datasets.first() {
            bail!("{group}/{name}: unexpected array");
        }
        ensure!(depth > 0, "{group}: nested too deeply");
        for name in &members.groups {
            let path = format!("{group}/{name}");
            let inside: Vec<_> = sub_layers
                .iter()
                .filter_map(|(path, count)| path.split_first().map(|(first, rest)| (*first, rest, *count)))
                .filter_map(|(first, rest, count)| (first == name).then_some((rest, count)))
                .collect();
            match name.as_str() {
                "vars" => {
                    let own =
                        sub_layers.iter().find(|(path, _)| path.is_empty()).map_or(0, |(_, count)| *count);
                    let found = self.file.members(&path)?.datasets.len();
                    ensure!(found == own, "{path}: {found} arrays, expected {own}");
                }
                name if RANDOM_STATES.contains(&name) => {}
                _ => self.check_group(&path, &inside, depth - 1)?,
            }
        }
        Ok(())
    }
}

/// Reads a list of names from an attribute; a long one is split into `KEY0`, `KEY1` and so on.
fn string_list(file: &Hdf5, group: &str, key: &str) -> Result<Vec<String>> {
    if let Some(names) = file.strings(group, key)? {
        return Ok(names);
    }
    let mut all = Vec::new();
    let mut pieces = 0;
    while let Some(names) = file.strings(group, &format!("{key}{pieces}"))? {
        all.extend(names);
        pieces += 1;
    }
    ensure!(pieces > 0, "{group}: {key}: missing");
    Ok(all)
}
