//! The report of a run: a single HTML file without scripts and external resources, in the reader's color
//! scheme.

mod html;
mod plot;

use anyhow::Result;

use embedded_rnn_nn::evaluate::Evaluation;
use embedded_rnn_nn::forecast::Comparison;
use embedded_rnn_nn::loss::Loss;
use embedded_rnn_nn::metrics::Confusion;
use embedded_rnn_nn::training::{Epoch, History};
use embedded_rnn_pack::LayerError;
use embedded_rnn_pack::summary::Summary;

use html::{
    comparison_table, confusion_table, detector_table, error_table, escape, facts_table, grouped,
    layer_table, model_table, quality_table, score_table,
};
use plot::{Curve, figure, roc_figure};

/// The content of a report.
pub struct Report<'a> {
    /// The network's name.
    pub name: &'a str,
    /// The loss of the training.
    pub loss: Loss,
    /// The name of the part of the data that the models are scored on: `test`, if there is one.
    pub scored: &'a str,
    /// The names and values of the table "Run".
    pub facts: &'a [(&'a str, String)],
    /// The text of the config.
    pub config: &'a str,
    /// Loss and metric per epoch.
    pub history: &'a History,
    /// The model files, the f32 one first.
    pub models: &'a [ModelFacts<'a>],
    /// The quantization error per layer; empty without an i8 model.
    pub errors: &'a [LayerError],
    /// The comparison of a forecast with the naive forecasts.
    pub comparison: Option<&'a Comparison>,
}

/// The content of a report about one model file.
pub struct ModelFacts<'a> {
    /// The file's name.
    pub name: &'a str,
    /// The layers, sizes and costs.
    pub summary: Summary,
    /// The evaluation on the test data.
    pub evaluation: &'a Evaluation,
    /// The evaluation of a detector with a threshold of its own.
    pub detector: Option<&'a Detector>,
}

/// A detector whose threshold was chosen on the validation data.
#[derive(Clone, Debug, PartialEq)]
pub struct Detector {
    /// The probability above which its output stands for class 1.
    pub threshold: f64,
    /// The evaluation with this threshold.
    pub evaluation: Evaluation,
}

const STYLE: &str = include_str!("style.css");

impl Report<'_> {
    /// Returns the page.
    pub fn html(&self) -> Result<String> {
        let name = escape(self.name);
        let (tiles, facts, models) =
            (self.tiles(), facts_table(self.facts), model_table(self.loss, self.models));
        let (plots, classes, errors) = (self.plots()?, self.classes(), self.errors());
        let (scores, detector) = (score_table(self.models), self.detector()?);
        let comparison = self.comparison.map_or(String::new(), comparison_table);
        let layers = self.models.first().map_or(String::new(), layer_table);
        let config = escape(self.config.trim_end());
        let (scored, history) = (self.scored, self.history_note());
        Ok(format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{name}</title>\n\
             <style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{name}</h1>\n{tiles}\
             <h2>Models</h2>\n<p>Measured with the model files on the {scored} data.</p>\n\
             {models}{comparison}\
             <h2>History</h2>\n<p>{history}</p>\n\
             {plots}{scores}{detector}{classes}{errors}\
             <h2>Layers</h2>\n{layers}<h2>Run</h2>\n{facts}\
             <h2>Config</h2>\n<pre>{config}</pre>\n</body>\n</html>\n"
        ))
    }

    /// Returns the tiles at the top: metrics and flash per model.
    fn tiles(&self) -> String {
        let mut tiles = Vec::new();
        for model in self.models {
            let value = model.evaluation.score.mean_metric();
            let value = match self.loss.is_crossentropy() {
                true => format!("{:.2} %", value * 100.0),
                false => format!("{value:.4}"),
            };
            tiles.push((
                value,
                format!("{} {}, {}", self.scored, self.loss.metric_name(), model.summary.dtype),
            ));
            if let Some(transcripts) = &model.evaluation.transcripts {
                let rate = format!("{:.2} %", transcripts.token_error_rate() * 100.0);
                tiles.push((rate, format!("token error rate, {}", model.summary.dtype)));
            }
        }
        for model in self.models {
            tiles.push((
                grouped(model.summary.flash_bytes.into()),
                format!("bytes of flash, {}", model.summary.dtype),
            ));
        }
        let tile = |(value, name): &(String, String)| {
            format!("<div class=\"tile\"><b>{value}</b><span class=\"dim\">{name}</span></div>\n")
        };
        format!("<div class=\"tiles\">\n{}</div>\n", tiles.iter().map(tile).collect::<String>())
    }

    /// Returns the sentence above the curves.
    fn history_note(&self) -> &'static str {
        match self.history.first().and_then(|epoch| epoch.val_loss) {
            Some(_) => "Per epoch, on the training data and (val_) on the validation data.",
            None => "Per epoch, on the training data; there are no validation data.",
        }
    }

    fn plots(&self) -> Result<String> {
        let curve = |name, value: fn(&Epoch) -> Option<f64>| {
            let values: Option<Vec<f64>> = self.history.iter().map(value).collect();
            values.map(|values| Curve { name, values })
        };
        let draw = |title, curves: Vec<Option<Curve<'_>>>| {
            figure(title, &curves.into_iter().flatten().collect::<Vec<_>>())
        };
        let (name, val_name) = (self.loss.metric_name(), self.loss.val_metric_name());
        let figures = [
            draw("loss", vec![curve("loss", |e| Some(e.loss)), curve("val_loss", |e| e.val_loss)])?,
            draw(name, vec![curve(name, |e| Some(e.metric)), curve(val_name, |e| e.val_metric)])?,
            draw("learning rate", vec![curve("learning_rate", |e| Some(e.learning_rate))])?,
            draw("gradient norm", vec![curve("gradient_norm", |e| Some(e.gradient_norm))])?,
        ];
        Ok(format!("<div class=\"cards\">\n{}</div>\n", figures.concat()))
    }

    /// Returns the section of the threshold and the ROC curve of a detector; empty for other models.
    fn detector(&self) -> Result<String> {
        let points = |model: &ModelFacts<'_>| model.evaluation.ranking.as_ref()?.roc();
        let curves: Vec<_> = self.models.iter().filter_map(|m| Some((m.name, points(m)?))).collect();
        if curves.is_empty() {
            return Ok(String::new());
        }
        Ok(format!(
            "<h2>Detector</h2>\n{}<div class=\"cards\">\n{}</div>\n",
            detector_table(self.models),
            roc_figure(&curves)?
        ))
    }

    /// Returns the section of the quantization error; empty without an i8 model.
    fn errors(&self) -> String {
        if self.errors.is_empty() {
            return String::new();
        }
        format!(
            "<h2>Quantization error</h2>\n<p>Difference of each layer's output in the i8 model from that in \
             the f32 model, on the calibration data. The range is the largest f32 output.</p>\n{}",
            error_table(self.errors)
        )
    }

    /// Returns the confusion matrix and the metrics per class of every model; empty without classes.
    fn classes(&self) -> String {
        let cards = |table: fn(&Confusion) -> String| -> String {
            let confusions =
                self.models.iter().filter_map(|m| Some((m.name, m.evaluation.confusion.as_ref()?)));
            let card = |(name, confusion)| {
                format!("<div class=\"card\"><h3>{}</h3>\n{}</div>\n", escape(name), table(confusion))
            };
            confusions.map(card).collect()
        };
        let (matrices, qualities) = (cards(confusion_table), cards(quality_table));
        if matrices.is_empty() {
            return String::new();
        }
        format!(
            "<h2>Confusion matrix</h2>\n<p>Rows: true class; columns: predicted class. Blue is correct, red \
             is wrong; the color is stronger the larger the share of the row.</p>\n\
             <div class=\"cards\">\n{matrices}</div>\n\
             <h2>Classes</h2>\n<div class=\"cards\">\n{qualities}</div>\n"
        )
    }
}

#[cfg(test)]
mod tests;
