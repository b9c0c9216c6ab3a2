//! The arrays of one layer, each of which must be read.

use anyhow::{Context, Result, bail, ensure};

use super::hdf5::Hdf5;
use super::naming::{Directions, SubLayer, belongs_to, leaf};
use crate::tensor::Tensor;

/// The name and the shape of an array.
pub type ExpectedArray<'a> = (&'a str, Vec<usize>);

/// Arrays of random number generators, without effect in inference.
pub const RANDOM_STATES: [&str; 2] = ["seed_generator", "seed_generator_state"];

/// The maximum depth of groups below that of a layer.
const MAX_DEPTH: usize = 4;

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

impl<'a> LayerWeights<'a> {
    /// Creates the weights in a group. `names` lists the arrays, in an `.h5` file.
    pub fn new(file: &'a Hdf5, group: String, exists: bool, names: Option<Vec<String>>) -> Self {
        Self { file, group, exists, names, directions: Default::default(), sub_layers: Vec::new() }
    }

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

    /// Leaves out the array after those of a sub-layer that have been read: it has no effect in inference.
    ///
    /// # Errors
    /// A missing array.
    pub fn skip(&mut self, sub_layer: SubLayer, name: &str) -> Result<()> {
        let place = || format!("{}: {name}: missing", self.group);
        match &mut self.names {
            Some(names) => {
                let index = names.iter().position(|found| leaf(found) == name).with_context(place)?;
                names.remove(index);
            }
            None => {
                let read = self.sub_layers.iter_mut().find(|(path, _)| *path == sub_layer.path());
                read.with_context(place)?.1 += 1;
            }
        }
        Ok(())
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
            check_group(self.file, &self.group, &self.sub_layers, MAX_DEPTH)?;
        }
        Ok(())
    }
}

/// Checks that a group contains no arrays.
///
/// # Errors
/// An array, by its path.
pub fn check_empty(file: &Hdf5, group: &str) -> Result<()> {
    check_group(file, group, &[], MAX_DEPTH)
}

/// Checks that a group contains nothing but the arrays of these sub-layers, whose paths start here.
/// Layers without weights, and layers that are saved under another name, leave groups without arrays.
fn check_group(
    file: &Hdf5,
    group: &str,
    sub_layers: &[(&'static [&'static str], usize)],
    depth: usize,
) -> Result<()> {
    let members = file.members(group)?;
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
                let own = sub_layers.iter().find(|(path, _)| path.is_empty()).map_or(0, |(_, count)| *count);
                let found = file.members(&path)?.datasets.len();
                ensure!(found == own, "{path}: {found} arrays, expected {own}");
            }
            name if RANDOM_STATES.contains(&name) => {}
            _ => check_group(file, &path, &inside, depth - 1)?,
        }
    }
    Ok(())
}
