//! Outputs as a table: the class of each by name, beside the actual one where it is known, and all values.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::vocabulary::Vocabulary;
use embedded_rnn_nn::data::{Dataset, Targets};
use embedded_rnn_nn::evaluate::class_of;
use embedded_rnn_nn::output::write_atomically;
use embedded_rnn_pack::session::Session;

/// The columns of a table, and what fills them.
pub struct Table<'a> {
    model: &'a Session,
    /// The names of the classes, if the outputs stand for classes.
    classes: Option<Vocabulary>,
    data: Option<&'a Dataset>,
    threshold: f64,
}

impl<'a> Table<'a> {
    /// Creates the table of a model, beside the targets of a data set if there is one.
    ///
    /// # Errors
    /// Targets that are not those of the model.
    pub fn new(model: &'a Session, data: Option<&'a Dataset>, threshold: f64) -> Result<Self> {
        let has_classes = model.has_decoder() || model.outputs_classes();
        let classes = has_classes.then(|| Vocabulary::new(model.output_size().max(2), model.labels()));
        let table = Self { model, classes, data, threshold };
        table.check()?;
        Ok(table)
    }

    /// Writes the outputs of each sequence, and returns the number of lines below the head.
    pub fn write(&self, path: &Path, outputs: &[Vec<f32>]) -> Result<usize> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(self.head())?;
        let mut lines = 0;
        for (s, outputs) in outputs.iter().enumerate() {
            if self.model.has_decoder() {
                writer.write_record(self.generated(s, outputs))?;
                lines += 1;
                continue;
            }
            for (step, output) in outputs.chunks_exact(self.model.output_size()).enumerate() {
                writer.write_record(self.line(s, step, lines, output))?;
                lines += 1;
            }
        }
        let bytes = writer.into_inner()?;
        write_atomically(path, |file| file.write_all(&bytes))?;
        Ok(lines)
    }

    /// Rejects targets that are not those of the model.
    fn check(&self) -> Result<()> {
        let Some(data) = self.data else { return Ok(()) };
        let (y, out) = (&data.targets_name, self.model.output_size());
        let fits = match &data.targets {
            Targets::Labels(_) => {
                self.classes.is_some() && !self.model.has_decoder() && data.width() <= out.max(2)
            }
            Targets::Values { width, .. } => *width == out && !self.model.has_decoder(),
            Targets::Sequences(_) => self.model.has_decoder() && data.width() <= out,
        };
        let per_frame = data.per_frame == self.model.returns_sequences() || self.model.has_decoder();
        ensure!(fits && per_frame, "{y}: not the targets of this model");
        Ok(())
    }

    fn head(&self) -> Vec<String> {
        let mut head = vec!["sequence".to_owned()];
        if self.model.returns_sequences() && !self.model.has_decoder() {
            head.push("step".to_owned());
        }
        let names = |prefix: &str| (0..self.model.output_size()).map(|k| format!("{prefix}{k}")).collect();
        match (&self.classes, self.data) {
            (Some(_), Some(_)) => head.extend(["actual", "predicted"].map(str::to_owned)),
            (Some(_), None) => head.push("predicted".to_owned()),
            (None, Some(_)) => head.extend::<Vec<_>>(names("actual ")),
            (None, None) => {}
        }
        match &self.classes {
            _ if self.model.has_decoder() => {}
            Some(classes) if self.model.output_size() > 1 => {
                head.extend((0..self.model.output_size()).map(|class| classes.text(&[class])));
            }
            Some(classes) => head.push(classes.text(&[1])),
            None => head.extend::<Vec<_>>(names("output ")),
        }
        head
    }

    /// Returns the line of an output, the one with number `row` of all.
    fn line(&self, s: usize, step: usize, row: usize, output: &[f32]) -> Vec<String> {
        let mut line = vec![s.to_string()];
        if self.model.returns_sequences() {
            line.push(step.to_string());
        }
        match (self.data.map(|data| &data.targets), &self.classes) {
            (Some(Targets::Labels(labels)), Some(classes)) => {
                line.push(classes.text(&[labels[row] as usize]))
            }
            (Some(Targets::Values { width, values }), _) => {
                line.extend(values[row * width..][..*width].iter().map(f32::to_string));
            }
            _ => {}
        }
        if let Some(classes) = &self.classes {
            line.push(classes.text(&[class_of(output, self.threshold)]));
        }
        line.extend(output.iter().map(f32::to_string));
        line
    }

    /// Returns the line of a generated sequence.
    fn generated(&self, s: usize, classes: &[f32]) -> Vec<String> {
        let mut line = vec![s.to_string()];
        let text = |ids: &[f32]| {
            let ids: Vec<usize> = ids.iter().map(|&id| id as usize).collect();
            self.classes.as_ref().map_or(String::new(), |vocabulary| vocabulary.text(&ids))
        };
        if let Some(Targets::Sequences(targets)) = self.data.map(|data| &data.targets) {
            line.push(text(targets.get(s)));
        }
        line.push(text(classes));
        line
    }
}
