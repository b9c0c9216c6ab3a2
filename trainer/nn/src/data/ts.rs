//! Files `.ts` of the UCR and UEA archives: a sequence per line, its dimensions separated by colons, then its
//! class or its value. `NAME_TEST.ts` beside `NAME_TRAIN.ts` is the test part.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::npy::{Array, Values};
use super::source::{Content, Texts};

/// The head of a file.
#[derive(Default)]
struct Head {
    classes: Vec<String>,
    has_classes: bool,
    has_values: bool,
}

/// The sequences of a file.
#[derive(Default)]
struct Part {
    features: usize,
    frames: Vec<f32>,
    lengths: Vec<i64>,
    targets: Vec<String>,
}

/// Reads a file, and the test part beside it.
pub(super) fn read(path: &Path) -> Result<Content> {
    let mut content = Content::default();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let test = name.strip_suffix("_TRAIN.ts").map(|name| path.with_file_name(format!("{name}_TEST.ts")));
    let test = test.filter(|test| test.exists());
    let suffix = if test.is_some() { "_train" } else { "" };
    add(&mut content, suffix, path)?;
    if let Some(test) = test {
        add(&mut content, "_test", &test).with_context(|| test.display().to_string())?;
    }
    Ok(content)
}

fn add(content: &mut Content, suffix: &str, path: &Path) -> Result<()> {
    let text = std::fs::read_to_string(path)?;
    let (head, part) = parse(&text)?;
    let n = part.lengths.len();
    content.add(suffix, part.frames, part.features, part.lengths);
    let y = format!("y{suffix}");
    if head.has_classes {
        if content.classes.is_empty() {
            content.classes = head.classes;
        }
        content.texts.insert(y, Texts { shape: vec![n], values: part.targets });
    } else {
        let values: Result<Vec<f32>> = part.targets.iter().map(|value| number(value)).collect();
        content.arrays.insert(y, Array { shape: vec![n, 1], values: Values::Floats(values?) });
    }
    Ok(())
}

fn parse(text: &str) -> Result<(Head, Part)> {
    let (mut head, mut part) = (Head::default(), Part::default());
    let mut is_data = false;
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines().map(str::trim)) {
        let read = || -> Result<()> {
            match line.strip_prefix('@') {
                _ if line.is_empty() || line.starts_with('#') => Ok(()),
                Some(key) if !is_data => {
                    is_data = key.eq_ignore_ascii_case("data");
                    head.read(key)
                }
                _ if is_data => part.read(line, &head),
                _ => bail!("data before the line @data"),
            }
        };
        read_line(read, number)?;
    }
    ensure!(is_data, "no line @data");
    ensure!(
        head.has_classes || head.has_values,
        "neither @classLabel true nor @targetLabel true: no targets"
    );
    ensure!(!part.lengths.is_empty(), "no sequences");
    Ok((head, part))
}

fn read_line(mut read: impl FnMut() -> Result<()>, number: usize) -> Result<()> {
    read().with_context(|| format!("line {number}"))
}

impl Head {
    fn read(&mut self, line: &str) -> Result<()> {
        let mut words = line.split_whitespace();
        let key = words.next().unwrap_or_default().to_ascii_lowercase();
        let is_true = words.next().is_some_and(|word| word.eq_ignore_ascii_case("true"));
        match key.as_str() {
            "timestamps" => ensure!(!is_true, "time stamps are not supported: values alone"),
            "classlabel" => {
                self.has_classes = is_true;
                self.classes = words.map(str::to_owned).collect();
            }
            "targetlabel" => self.has_values = is_true,
            // The rest follows from the data.
            _ => {}
        }
        Ok(())
    }
}

impl Part {
    fn read(&mut self, line: &str, head: &Head) -> Result<()> {
        let mut dimensions: Vec<&str> = line.split(':').collect();
        if head.has_classes || head.has_values {
            self.targets.push(dimensions.pop().unwrap_or_default().trim().to_owned());
        }
        let parse = |dimension: &&str| dimension.split(',').map(number).collect::<Result<Vec<f32>>>();
        let dimensions: Vec<Vec<f32>> = dimensions.iter().map(parse).collect::<Result<_>>()?;
        let steps = dimensions.first().context("no values before the target")?.len();
        let uneven = dimensions.iter().position(|dimension| dimension.len() != steps);
        if let Some(k) = uneven {
            bail!("dimension {k} has {} values, but dimension 0 has {steps}", dimensions[k].len());
        }
        let expected = if self.features == 0 { dimensions.len() } else { self.features };
        let found = dimensions.len();
        ensure!(found == expected, "{found} dimensions, but the sequences before have {expected}");
        self.features = expected;
        self.frames.extend((0..steps).flat_map(|t| dimensions.iter().map(move |values| values[t])));
        self.lengths.push(steps as i64);
        Ok(())
    }
}

/// Parses a finite number.
pub(super) fn number(text: &str) -> Result<f32> {
    let text = text.trim();
    let number = text.parse::<f32>().ok().filter(|number| number.is_finite());
    number.with_context(|| format!("{text:?} is not a finite number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimensions_become_features() {
        let text = "# made\n@problemName a\n@timeStamps false\n@classLabel true up down\n@data\n\
                    1,2,3:4,5,6:down\n\n7:8:up\n";
        let (head, part) = parse(text).unwrap();
        assert_eq!(head.classes, ["up", "down"]);
        assert_eq!(
            (part.features, part.lengths, part.targets),
            (2, vec![3, 1], vec!["down".into(), "up".into()])
        );
        assert_eq!(part.frames, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0, 7.0, 8.0]);
    }

    #[test]
    fn malformed_files_are_rejected_with_the_line() {
        let head = "@classLabel true a b\n@data\n";
        for (text, expected) in [
            ("", "no line @data"),
            ("1,2:a\n", "line 1: data before the line @data"),
            ("@data\n1,2\n", "neither @classLabel true nor @targetLabel true: no targets"),
            ("@timeStamps true\n@data\n", "line 1: time stamps are not supported: values alone"),
            (head, "no sequences"),
            (&format!("{head}1,?:a\n"), "line 3: \"?\" is not a finite number"),
            (&format!("{head}1,NaN:a\n"), "line 3: \"NaN\" is not a finite number"),
            (&format!("{head}1,2:3:a\n"), "line 3: dimension 1 has 1 values, but dimension 0 has 2"),
            (&format!("{head}1,2:a\n1:2:a\n"), "line 4: 2 dimensions, but the sequences before have 1"),
            (&format!("{head}a\n"), "line 3: no values before the target"),
        ] {
            let error = parse(text).map(drop).unwrap_err();
            assert_eq!(format!("{error:#}"), expected, "{text}");
        }
    }
}
