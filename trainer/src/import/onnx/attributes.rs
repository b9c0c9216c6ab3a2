//! What a node says of itself beside its inputs. Everything that it says must be asked for: what is left is refused.

use anyhow::{Context, Result, bail, ensure};

use super::tensor::Tensor;
use super::wire::{Fields, Wire};

/// Most numbers or names in one attribute.
const MOST: usize = 1 << 12;

/// The attributes of a node that nobody has asked for yet.
#[derive(Debug)]
pub struct Attributes<'a> {
    left: Vec<(&'a str, &'a [u8])>,
}

impl<'a> Attributes<'a> {
    /// Of these `AttributeProto`s.
    pub fn read(attributes: &[&'a [u8]]) -> Result<Self> {
        let mut left = Vec::new();
        for &body in attributes {
            let mut name = "";
            for field in Fields::new(body) {
                if let (1, wire) = field? {
                    name = wire.text()?;
                }
            }
            ensure!(left.iter().all(|&(other, _)| other != name), "attribute {name}: given twice");
            left.push((name, body));
        }
        Ok(Self { left })
    }

    /// Refuses what nobody has asked for.
    pub fn finish(self) -> Result<()> {
        match self.left.first() {
            Some(&(name, body)) => {
                let text = described(body).map_or(String::new(), |text| format!(" {text}"));
                bail!("{name}{text}: not an attribute that is read")
            }
            None => Ok(()),
        }
    }

    /// The fields of an attribute that are one of `wanted`, as often as they are there; none if it is not given.
    fn values<T>(
        &mut self,
        name: &str,
        wanted: u64,
        read: impl Fn(Wire<'a>) -> Result<Vec<T>>,
    ) -> Result<Option<Vec<T>>> {
        let Some(place) = self.left.iter().position(|&(other, _)| other == name) else { return Ok(None) };
        let (_, body) = self.left.remove(place);
        let mut values = Vec::new();
        let mut fill = || -> Result<()> {
            for field in Fields::new(body) {
                match field? {
                    (number, wire) if number == wanted => values.extend(read(wire)?),
                    // Its name, its description, and the code of its type.
                    (1 | 13 | 20, _) => {}
                    (6 | 11, _) => bail!("a subgraph"),
                    (21, _) => bail!("a reference to the attribute of a function"),
                    (number, _) => bail!("field {number}: not of the type that this attribute has"),
                }
                ensure!(values.len() <= MOST, "more than {MOST} values");
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

    /// An integer. A value of 0 may be left out of a file.
    pub fn int(&mut self, name: &str) -> Result<Option<i64>> {
        let values = self.values(name, 3, |wire| Ok(vec![wire.int()?]))?;
        Self::one(name, values.map(|v| if v.is_empty() { vec![0] } else { v }))
    }

    /// A float. A value of 0 may be left out of a file.
    pub fn float(&mut self, name: &str) -> Result<Option<f32>> {
        let values = self.values(name, 2, |wire| Ok(vec![wire.float()?]))?;
        Self::one(name, values.map(|v| if v.is_empty() { vec![0.0] } else { v }))
    }

    /// Text.
    pub fn text(&mut self, name: &str) -> Result<Option<&'a str>> {
        let values = self.values(name, 4, |wire| Ok(vec![wire.text()?]))?;
        Self::one(name, values)
    }

    /// Integers.
    pub fn ints(&mut self, name: &str) -> Result<Option<Vec<i64>>> {
        self.values(name, 8, |wire| packed(|each| wire.each_int(each)))
    }

    /// Floats.
    pub fn floats(&mut self, name: &str) -> Result<Option<Vec<f32>>> {
        self.values(name, 7, |wire| packed(|each| wire.each_float(each)))
    }

    /// Texts.
    pub fn texts(&mut self, name: &str) -> Result<Option<Vec<&'a str>>> {
        self.values(name, 9, |wire| Ok(vec![wire.text()?]))
    }

    /// A tensor.
    pub fn tensor(&mut self, name: &str) -> Result<Option<Tensor<'a>>> {
        let values = self.values(name, 5, |wire| Ok(vec![Tensor::read(wire.bytes()?)?]))?;
        Self::one(name, values)
    }
}

/// The numbers of a packed field.
fn packed<T>(read: impl FnOnce(&mut dyn FnMut(T) -> Result<()>) -> Result<()>) -> Result<Vec<T>> {
    let mut values = Vec::new();
    read(&mut |value| {
        ensure!(values.len() < MOST, "more than {MOST} values");
        values.push(value);
        Ok(())
    })?;
    Ok(values)
}

/// A number or a text as an error shows it.
fn described(body: &[u8]) -> Option<String> {
    Fields::new(body).flatten().find_map(|(number, wire)| match number {
        2 => wire.float().ok().map(|value| value.to_string()),
        3 => wire.int().ok().map(|value| value.to_string()),
        4 => wire.text().ok().map(|value| format!("{value:?}")),
        _ => None,
    })
}
