//! The named arrays of a data file, whatever its format.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::names::{PARTS, part_names};
use super::npy::{Array, Values, read_npy, read_texts};
use super::npz::Npz;
use super::{idx, table, ts};

/// The arrays of a data file: `x_train`, `y_train` and so on.
pub(super) struct Source {
    arrays: Arrays,
    /// The names of the classes, if the targets are texts.
    pub(super) classes: Vec<String>,
}

/// Where arrays are read from.
enum Arrays {
    Npz(Npz),
    /// Arrays that are read already.
    Read(BTreeMap<String, Array>),
}

/// The content of a file in a format without names.
#[derive(Default)]
pub(super) struct Content {
    pub arrays: BTreeMap<String, Array>,
    /// Targets that are texts.
    pub texts: BTreeMap<String, Texts>,
    /// The names of the classes, if the file lists them.
    pub classes: Vec<String>,
}

/// An array of texts.
pub(super) struct Texts {
    pub shape: Vec<usize>,
    pub values: Vec<String>,
}

impl Source {
    /// Opens a file, or a folder of `.npy` files. `classes` are the names of the classes in their order; if
    /// there are none, that of the file, or the alphabetical one.
    pub(super) fn open(path: &Path, classes: &[String]) -> Result<Self> {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let extension = path.extension().and_then(OsStr::to_str);
        let mut content = match extension {
            _ if path.is_dir() => folder(path)?,
            Some("ts") => ts::read(path)?,
            Some("csv") => table::read(path)?,
            _ if name.contains("idx3-ubyte") => idx::read(path)?,
            _ => {
                let mut npz = Npz::open(path)?;
                let texts = targets(|name| npz.has(name) && npz.is_text(name));
                let texts = texts.into_iter().map(|name| Ok((name.clone(), npz.texts(&name)?)));
                let content = Content { texts: texts.collect::<Result<_>>()?, ..Content::default() };
                return Self::new(Arrays::Npz(npz), content, classes);
            }
        };
        let arrays = std::mem::take(&mut content.arrays);
        Self::new(Arrays::Read(arrays), content, classes)
    }

    /// Replaces targets that are texts by the numbers of their classes.
    fn new(arrays: Arrays, content: Content, classes: &[String]) -> Result<Self> {
        let Content { texts, classes: listed, .. } = content;
        if texts.is_empty() {
            return Ok(Self { arrays, classes: Vec::new() });
        }
        let sorted: BTreeSet<&String> = texts.values().flat_map(|texts| &texts.values).collect();
        let classes = match (classes, listed) {
            (classes @ [_, ..], _) => classes.to_vec(),
            (_, listed) if !listed.is_empty() => listed,
            _ => sorted.into_iter().cloned().collect(),
        };
        let mut source = Self { arrays, classes };
        for (name, Texts { shape, values }) in texts {
            let class = |(k, text): (usize, &String)| {
                let class = source.classes.iter().position(|class| class == text);
                let class = class.with_context(|| {
                    format!("{name}: {text:?} at [{k}] is not one of {}", source.classes.join(", "))
                });
                Ok(class? as i64)
            };
            let classes = values.iter().enumerate().map(class).collect::<Result<_>>()?;
            let array = Array { shape, values: Values::Integers(classes) };
            source.insert(name, array);
        }
        Ok(source)
    }

    /// Adds an array, in place of one with this name.
    fn insert(&mut self, name: String, array: Array) {
        match &mut self.arrays {
            Arrays::Npz(npz) => npz.replace(name, array),
            Arrays::Read(arrays) => drop(arrays.insert(name, array)),
        }
    }

    /// Returns the names of all arrays.
    pub(super) fn names(&self) -> Result<Vec<String>> {
        match &self.arrays {
            Arrays::Npz(npz) => npz.names(),
            Arrays::Read(arrays) => Ok(arrays.keys().cloned().collect()),
        }
    }

    /// Returns `true` if the array with this name contains text.
    pub(super) fn is_text(&mut self, name: &str) -> bool {
        match &mut self.arrays {
            Arrays::Npz(npz) => npz.is_text(name),
            Arrays::Read(_) => false,
        }
    }

    /// Returns `true` if there is an array with this name.
    pub(super) fn has(&self, name: &str) -> bool {
        match &self.arrays {
            Arrays::Npz(npz) => npz.has(name),
            Arrays::Read(arrays) => arrays.contains_key(name),
        }
    }

    /// Reads the array with this name, without NaN or infinity.
    pub(super) fn array(&mut self, name: &str) -> Result<Array> {
        match &mut self.arrays {
            Arrays::Npz(npz) => npz.array(name),
            Arrays::Read(arrays) => match arrays.get(name) {
                Some(array) => array.check_finite().context(name.to_owned()).map(|()| array.clone()),
                None => bail!("{name}: there is no such array"),
            },
        }
    }

    /// Reads the array with this name, if there is one.
    pub(super) fn optional(&mut self, name: &str) -> Result<Option<Array>> {
        if self.has(name) { self.array(name).map(Some) } else { Ok(None) }
    }
}

/// Returns the names of the targets of all parts that `is_given` accepts.
fn targets(mut is_given: impl FnMut(&str) -> bool) -> Vec<String> {
    let [_, y, ..] = part_names("");
    PARTS.iter().map(|part| format!("{y}{part}")).filter(|name| is_given(name)).collect()
}

/// Reads the `.npy` files of a folder.
fn folder(path: &Path) -> Result<Content> {
    let mut content = Content::default();
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "npy") {
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match read_texts(&path)? {
            Some(texts) if targets(|_| true).contains(&name) => drop(content.texts.insert(name, texts)),
            Some(_) => {}
            None => drop(content.arrays.insert(name, read_npy(&path)?)),
        }
    }
    let is_empty = content.arrays.is_empty() && content.texts.is_empty();
    ensure!(!is_empty, "is a directory without .npy files");
    Ok(content)
}

impl Content {
    /// Adds a part: its frames one after another, their lengths, and their targets.
    pub(super) fn add(&mut self, part: &str, frames: Vec<f32>, features: usize, lengths: Vec<i64>) {
        let [x, _, len, ..] = part_names(part);
        let shape = vec![frames.len() / features.max(1), features];
        self.arrays.insert(x, Array { shape, values: Values::Floats(frames) });
        let lengths = Array { shape: vec![lengths.len()], values: Values::Integers(lengths) };
        self.arrays.insert(len, lengths);
    }
}
