//! The weights in a file, and the arrays that belong to each layer.
//!
//! The kernel of the cell of the second LSTM layer, which is named `zebra`:
//!
//! | file | path |
//! |---|---|
//! | `.keras` | `layers/lstm_1/cell/vars/0` |
//! | `.keras` of 2.13 | `_layer_checkpoint_dependencies/lstm_2/cell/vars/0` |
//! | `.h5` | `model_weights/zebra/zebra/lstm_cell/kernel:0` |
//!
//! The same layer inside a nested Sequential model named `inner`:
//!
//! | file | path |
//! |---|---|
//! | `.keras` | `layers/sequential/layers/lstm_1/cell/vars/0` |
//! | `.h5` | `model_weights/inner/inner/zebra/lstm_cell/kernel`, in Keras 2 `model_weights/inner/zebra/..` |
//!
//! In a `.keras` file the group has the class in snake case, numbered in the order of the config; in 2.13 the
//! number grows by two, as its dictionary contains each layer with weights twice. In an `.h5` file the group
//! has the layer's name, and the attribute `weight_names` lists the rest of the path, from Keras 3 on without
//! `:0`. Arrays are never found by their shapes, but every shape is checked. Of the arrays of a
//! nested model in an `.h5` file, a layer takes all with its name in their path, and must read them all.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use anyhow::{Result, bail, ensure};

use super::hdf5::{GroupMembers, Hdf5};
use super::naming::{leaf, snake_case};
use super::weights::{LayerWeights, RANDOM_STATES, check_empty};

/// The weights in a file.
pub struct WeightStore {
    file: Rc<Hdf5>,
    /// The group that contains the layers.
    root: String,
    /// The way from a layer to its arrays.
    names: Names,
    /// The groups of layers that have not been read yet.
    unread: BTreeSet<String>,
}

/// The way from a layer to its arrays.
enum Names {
    /// In a `.keras` file, the group is numbered by class: the numbers taken so far, and the numbers that a
    /// layer with weights takes.
    Numbered(HashMap<String, usize>, usize),
    /// In an `.h5` file, the group has the name of the layer.
    Layers,
    /// In the group of a nested model in an `.h5` file, the name of the layer is part of the name of the
    /// array: the names that have not been read yet.
    Nested(Vec<String>),
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
        let names = Names::Numbered(HashMap::new(), numbers);
        Ok(Self { file: Rc::new(file), root: root.to_owned(), names, unread })
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
        Ok(Self { file: Rc::new(file), root, names: Names::Layers, unread })
    }

    /// Returns the name of the group of the next layer in the config.
    pub fn group(&mut self, class: &str, name: &str, has_weights: bool) -> String {
        let Names::Numbered(counts, numbers) = &mut self.names else { return name.to_owned() };
        let class = snake_case(class);
        let count = counts.entry(class.clone()).or_default();
        let own = if *count == 0 { class } else { format!("{class}_{count}") };
        *count += if has_weights { *numbers } else { 1 };
        own
    }

    /// Returns the weights in a group, which must be those of the layer with this name.
    ///
    /// # Errors
    /// A damaged file, or a group that belongs to another layer.
    pub fn layer(&mut self, own: &str, name: &str) -> Result<LayerWeights<'_>> {
        let mut group = format!("{}/{own}", self.root);
        let mut exists = self.unread.remove(own);
        let names = match &mut self.names {
            Names::Numbered(..) => {
                if exists {
                    check_name(&self.file, &group, name)?;
                }
                None
            }
            Names::Layers if exists => Some(string_list(&self.file, &group, "weight_names")?),
            Names::Layers => Some(Vec::new()),
            Names::Nested(all) => {
                (group, exists) = (self.root.clone(), true);
                Some(take_names(all, name))
            }
        };
        Ok(LayerWeights::new(&self.file, group, exists, names))
    }

    /// Returns the weights of the nested model with this name, whose group is `own`.
    ///
    /// # Errors
    /// A damaged file, or a nested model in a file of Keras 2.13.
    pub fn nested(&mut self, own: &str, name: &str) -> Result<Self> {
        let group = format!("{}/{own}", self.root);
        let exists = self.unread.remove(own);
        let empty = (group.clone(), BTreeSet::new());
        let (names, (root, unread)) = match &mut self.names {
            Names::Numbered(_, 2) => {
                bail!("{group}: a nested model in a file of Keras 2.13 is not supported")
            }
            Names::Numbered(_, numbers) if exists => {
                check_name(&self.file, &group, name)?;
                let layers = format!("{group}/layers");
                (
                    Names::Numbered(HashMap::new(), *numbers),
                    (layers.clone(), self.layers_of(&group, &layers)?),
                )
            }
            Names::Numbered(_, numbers) => (Names::Numbered(HashMap::new(), *numbers), empty),
            Names::Layers if exists => {
                (Names::Nested(string_list(&self.file, &group, "weight_names")?), empty)
            }
            Names::Layers => (Names::Nested(Vec::new()), empty),
            Names::Nested(all) => {
                (Names::Nested(take_names(all, name)), (self.root.clone(), BTreeSet::new()))
            }
        };
        Ok(Self { file: self.file.clone(), root, names, unread })
    }

    /// Returns the groups of the layers of a nested model, next to which there must be no arrays.
    fn layers_of(&self, group: &str, layers: &str) -> Result<BTreeSet<String>> {
        let GroupMembers { groups, datasets } = self.file.members(group)?;
        if let Some(name) = datasets.first() {
            bail!("{group}/{name}: unexpected array");
        }
        for name in groups.iter().filter(|name| *name != "layers") {
            check_empty(&self.file, &format!("{group}/{name}"))?;
        }
        if groups.contains("layers") { Ok(self.file.members(layers)?.groups) } else { Ok(BTreeSet::new()) }
    }

    /// Checks that the weights of all layers have been read.
    ///
    /// # Errors
    /// Weights of a layer that the config does not have.
    pub fn finish(self) -> Result<()> {
        if let Some(name) = self.unread.first() {
            bail!("{}/{name}: weights of a layer that the config does not have", self.root);
        }
        if let Names::Nested(names) = self.names
            && let Some(name) = names.iter().find(|name| !RANDOM_STATES.contains(&leaf(name)))
        {
            bail!("{}: {name}: unexpected array", self.root);
        }
        Ok(())
    }
}

/// Checks the name of the layer in its group, which newer versions store: 3.8 does, 3.5 does not.
fn check_name(file: &Hdf5, group: &str, name: &str) -> Result<()> {
    if !file.members(group)?.groups.contains("vars") {
        return Ok(());
    }
    let stored = file.strings(&format!("{group}/vars"), "name")?;
    let same = stored.as_ref().is_none_or(|stored| stored[..] == [name]);
    ensure!(same, "{group}: name {}: expected {name}", stored.unwrap_or_default().join(" "));
    Ok(())
}

/// Removes and returns the names of the arrays with this layer in their path.
fn take_names(names: &mut Vec<String>, layer: &str) -> Vec<String> {
    names.extract_if(.., |name| name.split('/').any(|group| group == layer)).collect()
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
