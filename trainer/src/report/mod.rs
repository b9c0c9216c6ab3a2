//! The report of a run: one HTML file that needs nothing beside it.

mod html;
mod plot;

use anyhow::Result;

use crate::evaluate::Evaluation;
use crate::pack::LayerError;
use crate::training::History;

use html::{confusion_table, error_table, escape, model_table, quality_table};
use plot::{Curve, plot};

/// What a report tells.
pub struct Report<'a> {
    /// The network's name.
    pub name: &'a str,
    /// What there is to say of the run: a name and a value each.
    pub facts: &'a [(&'a str, String)],
    /// The config as it was read.
    pub config: &'a str,
    /// Every epoch.
    pub history: &'a History,
    /// The model files, the f32 one first.
    pub models: &'a [ModelFacts<'a>],
    /// What quantization did to each layer.
    pub errors: &'a [LayerError],
}

/// What a report tells of a model file.
pub struct ModelFacts<'a> {
    /// The file's name.
    pub name: &'a str,
    /// The file's length.
    pub bytes: usize,
    /// How it does on the validation data.
    pub evaluation: &'a Evaluation,
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em}\
table{border-collapse:collapse;margin:1em 0}td,th{border:1px solid #ccc;padding:.2em .6em;text-align:right}\
th{background:#f4f4f4}pre{background:#f4f4f4;padding:1em;overflow:auto}svg{max-width:100%;height:auto}";

impl Report<'_> {
    /// The whole page.
    pub fn html(&self) -> Result<String> {
        let name = escape(self.name);
        let facts: String = self
            .facts
            .iter()
            .map(|(what, value)| format!("<tr><th>{}</th><td>{}</td></tr>", escape(what), escape(value)))
            .collect();
        let plots = self.plots()?;
        let models = model_table(self.models);
        let classes: String = self
            .models
            .iter()
            .filter_map(|model| Some((model.name, model.evaluation.confusion.as_ref()?)))
            .map(|(name, confusion)| {
                format!(
                    "<h2>{}</h2>\n{}{}",
                    escape(name),
                    confusion_table(confusion),
                    quality_table(confusion)
                )
            })
            .collect();
        let errors = error_table(self.errors);
        let config = escape(self.config);
        Ok(format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{name}</title>\
             <style>{STYLE}</style></head><body>\n<h1>{name}</h1>\n<table>{facts}</table>\n{models}{errors}{plots}\n{classes}\n\
             <h2>Config</h2>\n<pre>{config}</pre>\n</body></html>\n"
        ))
    }

    fn plots(&self) -> Result<String> {
        let Some(ModelFacts { evaluation: Evaluation { loss: kind, .. }, .. }) = self.models.first() else {
            return Ok(String::new());
        };
        let metric = kind.metric_name();
        let history = self.history;
        let loss = plot(&[
            Curve { name: "loss", values: history.iter().map(|e| e.loss).collect() },
            Curve { name: "val_loss", values: history.iter().map(|e| e.val_loss).collect() },
        ])?;
        let val_metric = kind.val_metric_name();
        let metrics = plot(&[
            Curve { name: metric, values: history.iter().map(|e| e.metric).collect() },
            Curve { name: val_metric, values: history.iter().map(|e| e.val_metric).collect() },
        ])?;
        Ok(format!("<h2>Loss</h2>\n{loss}\n<h2>{metric}</h2>\n{metrics}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::{Loss, Score};
    use crate::metrics::Confusion;
    use crate::training::Epoch;

    #[test]
    fn page_holds_everything_and_nothing_from_elsewhere() {
        let mut confusion = Confusion::new(2);
        confusion.count(0, 1);
        let epoch = Epoch { loss: 1.0, metric: 0.5, val_loss: 1.5, val_metric: 0.25 };
        let score = Score { loss: 1.5, metric: 0.25, columns: 1 };
        let evaluation =
            Evaluation { loss: Loss::CategoricalCrossentropy, score, confusion: Some(confusion) };
        let report = Report {
            name: "a<b",
            facts: &[("seed", "7".to_owned())],
            config: "units = 3 # <&>",
            history: &vec![epoch, epoch],
            models: &[ModelFacts { name: "model.ernn", bytes: 1234, evaluation: &evaluation }],
            errors: &[LayerError { name: "l<1".to_owned(), worst: 0.5, rms: 0.25, range: 2.0 }],
        };
        let page = report.html().unwrap();
        for part in
            ["a&lt;b", "<td>7</td>", "# &lt;&amp;&gt;", "val_accuracy", "macro", "1234", "l&lt;1", "<svg"]
        {
            assert!(page.contains(part), "{part} is missing");
        }
        let outside = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!outside.contains("http") && !outside.contains("src="));
        assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    }
}
