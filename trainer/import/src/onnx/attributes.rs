//! The attributes of a node. Every attribute must be read by the operator: attributes left over are rejected.

use anyhow::{Context, Result, bail, ensure};

use super::tensor::TensorProto;
use super::wire::{Fields, Wire};

/// The maximum number of values in one attribute.
const MAX: usize = 1 << 12;

/// The attributes of a node that have not been read yet.
#[derive(Debug)]
pub struct Attributes<'a> {
    unread: Vec<(&'a str, &'a [u8])>,
}

impl<'a> Attributes<'a> {
    /// Collects these `AttributeProto`s by name.
    ///
    /// # Errors
    /// A damaged message, or an attribute that occurs twice.
    pub fn read(attributes: &[&'a [u8]]) -> Result<Self> {
        let mut unread = Vec::new();
        for &body in attributes {
            let mut name = "";
            for field in Fields::new(body) {
                if let (1, wire) = field? {
                    name = wire.text()?;
                }
            }
            ensure!(unread.iter().all(|&(other, _)| other != name), "attribute {name}: given twice");
            unread.push((name, body));
        }
        Ok(Self { unread })
    }

    /// Checks that every attribute has been read.
    ///
    /// # Errors
    /// The first unread attribute, with its value.
    pub fn finish(self) -> Result<()> {
        match self.unread.first() {
            Some(&(name, body)) => {
                let text = described(body).map_or(String::new(), |text| format!(" {text}"));
                bail!("{name}{text}: unsupported attribute")
            }
            None => Ok(()),
        }
    }

    /// Removes an attribute and returns the values of its fields with this number; `None` if the attribute is
    /// missing.
    fn values<T>(
        &mut self,
        name: &str,
        field_number: u64,
        read: impl Fn(Wire<'a>) -> Result<Vec<T>>,
    ) -> Result<Option<Vec<T>>> {
        let Some(index) = self.unread.iter().position(|&(other, _)| other == name) else { return Ok(None) };
        let (_, body) = self.unread.remove(index);
        let mut values = Vec::new();
        let mut fill = || -> Result<()> {
            for field in Fields::new(body) {
                match field? {
                    (number, wire) if number == field_number => values.extend(read(wire)?),
                    // The name, the description and the type code.
                    (1 | 13 | 20, _) => {}
                    (6 | 11, _) => bail!("subgraphs are not supported"),
                    (21, _) => bail!("references to attributes of functions are not supported"),
                    (number, _) => bail!("field {number}: another type than expected"),
                }
                ensure!(values.len() <= MAX, "more than {MAX} values");
            }
            Ok(())
        };
        fill().with_context(|| name.to_owned())?;
        Ok(Some(values))
    }

    fn one<T>(name: &str, values: Option<Vec<T>>) -> Result<Option<T>> {
        let Some(mut values) = values else { return Ok(None) };
        ensure!(values.len() == 1, "{name}: {} values, expected one", values.len());
        Ok(values.pop())
    }

    /// Reads an integer. Files may leave out a value of 0.
    pub fn int(&mut self, name: &str) -> Result<Option<i64>> {
        let values = self.values(name, 3, |wire| Ok(vec![wire.int()?]))?;
        Self::one(name, values.map(|v| if v.is_empty() { vec![0] } else { v }))
    }

    /// Reads a float. Files may leave out a value of 0.
    pub fn float(&mut self, name: &str) -> Result<Option<f32>> {
        let values = self.values(name, 2, |wire| Ok(vec![wire.float()?]))?;
        Self::one(name, values.map(|v| if v.is_empty() { vec![0.0] } else { v }))
    }

    /// Reads a string.
    pub fn text(&mut self, name: &str) -> Result<Option<&'a str>> {
        let values = self.values(name, 4, |wire| Ok(vec![wire.text()?]))?;
        Self::one(name, values)
    }

    /// Reads a list of integers.
    pub fn ints(&mut self, name: &str) -> Result<Option<Vec<i64>>> {
        self.values(name, 8, |wire| packed(|each| wire.each_int(each)))
    }

    /// Reads a list of floats.
    pub fn floats(&mut self, name: &str) -> Result<Option<Vec<f32>>> {
        self.values(name, 7, |wire| packed(|each| wire.each_float(each)))
    }

    /// Reads a list of strings.
    pub fn texts(&mut self, name: &str) -> Result<Option<Vec<&'a str>>> {
        self.values(name, 9, |wire| Ok(vec![wire.text()?]))
    }

    /// Reads a tensor.
    pub fn tensor(&mut self, name: &str) -> Result<Option<TensorProto<'a>>> {
        let values = self.values(name, 5, |wire| Ok(vec![TensorProto::read(wire.bytes()?)?]))?;
        Self::one(name, values)
    }
}

/// Collects the numbers of a packed field.
fn packed<T>(read: impl FnOnce(&mut dyn FnMut(T) -> Result<()>) -> Result<()>) -> Result<Vec<T>> {
    let mut values = Vec::new();
    read(&mut |value| {
        ensure!(values.len() < MAX, "more than {MAX} values");
        values.push(value);
        Ok(())
    })?;
    Ok(values)
}

/// Returns a number or a string as error messages show it.
fn described(body: &[u8]) -> Option<String> {
    Fields::new(body).flatten().find_map(|(number, wire)| match number {
        2 => wire.float().ok().map(|value| value.to_string()),
        3 => wire.int().ok().map(|value| value.to_string()),
        4 => wire.text().ok().map(|value| format!("{value:?}")),
        _ => None,
    })
}
