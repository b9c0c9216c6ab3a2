//! What is known while the nodes are gone through: the atoms of all axes, and how much memory is left.

use std::collections::BTreeMap;
use std::rc::Rc;

use anyhow::{Context as _, Result, bail, ensure};

use super::chain::{From, Link, Point, When, Work};
use super::value::{Atom, Axis, Data, Dim, Part};
use crate::import::MOST_BYTES;
use crate::layers::{Kind, MergeMode};

/// What an axis stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Sequences, which know nothing of each other.
    Batch,
    /// Steps.
    Time,
    /// What a frame is made of.
    Features,
}

/// A part of an axis that does not come apart.
#[derive(Clone, Debug)]
struct Known {
    /// What it stands for, once a node has told.
    role: Option<Role>,
    /// Its length, if that is fixed.
    size: Option<usize>,
    /// How an error calls it.
    name: String,
}

/// What is known so far.
#[derive(Debug)]
pub struct Context<'a> {
    /// The version of ONNX's operators.
    pub opset: i64,
    /// The names of the graph's inputs.
    pub inputs: Vec<&'a str>,
    atoms: Vec<Known>,
    features: BTreeMap<usize, usize>,
    values_left: u64,
}

/// What comes after an axis in a frame-wise layer: the link to read, its features, and where they stand.
pub struct Frames {
    /// What is read.
    pub link: Link,
    /// Features of a frame.
    pub size: usize,
}

impl<'a> Context<'a> {
    /// Nothing yet.
    pub fn new(opset: i64, inputs: Vec<&'a str>) -> Self {
        Self { opset, inputs, atoms: Vec::new(), features: BTreeMap::new(), values_left: MOST_BYTES / 4 }
    }

    /// Takes account of so many numbers to be held; all that are ever made count.
    pub fn spend(&mut self, values: usize) -> Result<()> {
        let left = self.values_left.checked_sub(values as u64);
        self.values_left = left.with_context(|| format!("more than {MOST_BYTES} bytes of numbers"))?;
        Ok(())
    }

    /// A further atom.
    pub fn atom(&mut self, role: Option<Role>, size: Option<usize>, name: String) -> usize {
        self.atoms.push(Known { role, size, name });
        self.atoms.len() - 1
    }

    /// The length of an atom, if it is fixed.
    pub fn size_of(&self, atom: Atom, data: &Data) -> Option<usize> {
        match atom {
            Atom::Parts => Some(data.parts.len()),
            Atom::Numbered(number) => self.atoms[number].size,
        }
    }

    /// The length of an axis, if it is fixed.
    pub fn axis_size(&self, axis: &Axis, data: &Data) -> Option<usize> {
        axis.iter().try_fold(1usize, |size, &atom| size.checked_mul(self.size_of(atom, data)?))
    }

    /// The length of an atom, fixed or not.
    pub fn dim_of(&self, atom: Atom, data: &Data) -> Dim {
        match (self.size_of(atom, data), atom) {
            (Some(size), _) => Dim::known(size as i64),
            (None, Atom::Numbered(number)) => Dim::of_atom(number),
            (None, Atom::Parts) => Dim::known(data.parts.len() as i64),
        }
    }

    /// The length of an axis, fixed or not.
    pub fn axis_dim(&self, axis: &Axis, data: &Data) -> Result<Dim> {
        axis.iter().try_fold(Dim::known(1), |dim, &atom| dim.times(&self.dim_of(atom, data)))
    }

    /// What an atom stands for, as far as is known.
    pub fn role_of(&self, atom: Atom) -> Option<Role> {
        if let Atom::Numbered(number) = atom { self.atoms[number].role } else { None }
    }

    /// What an axis stands for, if that is one thing and known.
    pub fn role_of_axis(&self, axis: &Axis) -> Option<Role> {
        if let [atom] = axis[..] { self.role_of(atom) } else { None }
    }

    /// How an error calls an axis.
    pub fn axis_name(&self, axis: &Axis) -> String {
        let names = axis.iter().map(|&atom| match atom {
            Atom::Parts => "directions or layers",
            Atom::Numbered(number) => &self.atoms[number].name,
        });
        let names: Vec<_> = names.collect();
        if names.is_empty() { "an axis of length 1".to_owned() } else { names.join(" times ") }
    }

    /// Learns what an axis stands for. One of length 1 that is left of none can be anything.
    pub fn bind(&mut self, axis: &Axis, role: Role) -> Result<()> {
        match axis[..] {
            [] => Ok(()),
            [Atom::Numbered(number)] => {
                let known = &mut self.atoms[number];
                let told = *known.role.get_or_insert(role);
                ensure!(told == role, "{}: {role:?} here, but {told:?} elsewhere", known.name);
                Ok(())
            }
            _ => bail!("{}: several things where {role:?} belongs", self.axis_name(axis)),
        }
    }

    /// The axis that holds features, if it is known which and there is one left.
    pub fn features_axis(&self, data: &Data) -> Option<usize> {
        let holds = |axis: &Axis| axis.iter().any(|&atom| self.role_of(atom) == Some(Role::Features));
        data.axes.iter().position(holds)
    }

    /// The axis of features for what is done to every value: any, but it must be known; none if they are one, whose axis is gone.
    pub fn every_feature(&self, data: &Data) -> Result<Option<usize>> {
        let axis = self.features_axis(data);
        let is_one =
            matches!(&data.parts[..], [Part::Made(Link { from: From::Point(point), .. })] if point.size == 1);
        ensure!(axis.is_some() || is_one, "nothing tells which axis holds the features");
        Ok(axis)
    }

    /// The data as a layer reads it whose features are those along `axis`; none if they are one, whose axis is gone.
    pub fn frames(&mut self, data: &Data, axis: Option<usize>) -> Result<Frames> {
        ensure!(!data.ids, "ids, which only an embedding takes");
        let is_apart = |(k, held): (usize, &Axis)| Some(k) != axis && held.contains(&Atom::Parts);
        ensure!(
            !data.axes.iter().enumerate().any(is_apart),
            "directions or layers apart: they must be features of one frame here"
        );
        let mut held = axis.map(|axis| data.axes[axis].clone()).unwrap_or_default();
        let link = match &data.parts[..] {
            [part] => self.made(part)?.clone(),
            [forward, backward] if held.first() == Some(&Atom::Parts) => {
                held.remove(0);
                Link::both(self.made(forward)?, self.made(backward)?, MergeMode::Concat)?
            }
            parts => bail!("{} tensors at once, which are no directions of one layer", parts.len()),
        };
        let is_told = self.role_of_axis(&held) == Some(Role::Features);
        // What comes out of a layer says itself which axis holds its features; an input learns it.
        ensure!(
            held.is_empty() || is_told || matches!(link.from, From::Input(_)),
            "{}: not the features, but they are asked for",
            self.axis_name(&held)
        );
        self.bind(&held, Role::Features)?;
        let is_other = |(k, axis_held): (usize, &Axis)| {
            Some(k) != axis && axis_held.iter().any(|&atom| self.role_of(atom) == Some(Role::Features))
        };
        if let Some((_, left)) = data.axes.iter().enumerate().find(|&(k, held)| is_other((k, held))) {
            bail!("{}: features, but others are asked for", self.axis_name(left));
        }
        let size = match &link.from {
            From::Point(point) => point.size,
            From::Input(input) => {
                let size = self.axis_size(&held, data);
                let size = size.with_context(|| {
                    format!("{}: how many features there are is not fixed", self.axis_name(&held))
                })?;
                let known = *self.features.entry(*input).or_insert(size);
                ensure!(known == size, "{}: {known} features, and {size}", self.inputs[*input]);
                size
            }
        };
        Ok(Frames { link, size })
    }

    /// How many features an input was found to have.
    pub fn features_of(&self, input: usize) -> Option<usize> {
        self.features.get(&input).copied()
    }

    /// Says how many features an input has.
    pub fn tell_features(&mut self, input: usize, size: usize) -> Result<()> {
        let known = *self.features.entry(input).or_insert(size);
        ensure!(known == size, "{}: {known} features, and {size}", self.inputs[input]);
        Ok(())
    }

    /// What comes out of a layer.
    pub fn made<'p>(&self, part: &'p Part) -> Result<&'p Link> {
        match part {
            Part::Made(link) => Ok(link),
            Part::Cell(point) => bail!("the cell state of {}, which no layer can read", point.name),
            Part::Piece { input, place } => bail!("piece {place} of the input {}", self.inputs[*input]),
        }
    }

    /// The data after a layer of frames that reads it along `axis`.
    pub fn after(&mut self, data: &Data, axis: Option<usize>, link: Link) -> Result<Data> {
        let size = link.point().context("no layer")?.size;
        let mut axes = data.axes.clone();
        let features = self.atom(Some(Role::Features), Some(size), format!("{size} features"));
        match axis {
            Some(axis) => axes[axis] = vec![Atom::Numbered(features)],
            None => ensure!(size == 1, "{size} features where there was no axis of them"),
        }
        Ok(Data { parts: vec![Part::Made(link)], axes, ids: false })
    }

    /// A layer of frames that reads `link`.
    pub fn layer(&self, name: &str, origin: &str, kind: Kind<f32>, link: &Link, size: usize) -> Result<Link> {
        // Layers of frames do not mind the order, so they take it as it is made.
        let input = Link {
            from: link.from.clone(),
            when: if link.when == When::Last { When::Last } else { super::chain::ALWAYS },
        };
        let point = Point::new(name, origin, Work::Frames(Rc::new(kind)), input, size)?;
        Ok(Link { from: From::Point(Rc::new(point)), when: link.when })
    }

    /// The same layer as the link's, doing `kind` instead.
    pub fn amended(&self, link: &Link, kind: Kind<f32>) -> Result<Link> {
        let point = super::chain::point_of(link)?.doing(kind)?;
        Ok(Link { from: From::Point(Rc::new(point)), when: link.when })
    }
}
