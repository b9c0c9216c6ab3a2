//! Tables.

use super::ModelFacts;
use crate::metrics::{Confusion, Quality};
use crate::pack::LayerError;

/// Text as HTML shows it.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Right classes down, given ones across; the fuller a field of its row, the darker.
pub fn confusion_table(confusion: &Confusion) -> String {
    let present = confusion.present();
    let head: String = present.iter().map(|class| format!("<th>{class}</th>")).collect();
    let field = |right: usize, given: usize| {
        let count = confusion.get(right, given);
        let share = count as f64 / confusion.support(right).max(1) as f64;
        // Blue where right, red where wrong.
        let colour = if right == given { "33,102,172" } else { "178,24,43" };
        let text = if share > 0.6 { "#fff" } else { "#000" };
        format!("<td style=\"background:rgba({colour},{share:.3});color:{text}\">{count}</td>")
    };
    let row = |&right: &usize| {
        let fields: String = present.iter().map(|&given| field(right, given)).collect();
        format!("<tr><th>{right}</th>{fields}</tr>\n")
    };
    let rows: String = present.iter().map(row).collect();
    format!(
        "<h3>Confusion matrix</h3>\n<p>Rows: the right class; columns: the given one.</p>\n\
         <table><tr><th></th>{head}</tr>\n{rows}</table>\n"
    )
}

/// Precision, recall and F1 of every class, and their averages.
pub fn quality_table(confusion: &Confusion) -> String {
    let row = |name: &str, quality: Quality| {
        let Quality { precision, recall, f1, support } = quality;
        format!(
            "<tr><th>{name}</th><td>{precision:.4}</td><td>{recall:.4}</td><td>{f1:.4}</td><td>{support}</td></tr>\n"
        )
    };
    let classes: String =
        confusion.present().iter().map(|&class| row(&class.to_string(), confusion.class(class))).collect();
    let averages = row("macro", confusion.macro_average()) + &row("micro", confusion.micro_average());
    format!(
        "<h3>Classes</h3>\n<table><tr><th>class</th><th>precision</th><th>recall</th><th>F1</th>\
         <th>support</th></tr>\n{classes}{averages}</table>\n"
    )
}

/// The model files: how large, and how good on the validation data.
pub fn model_table(models: &[ModelFacts<'_>]) -> String {
    let row = |ModelFacts { name, bytes, evaluation }: &ModelFacts<'_>| {
        let (loss, metric) = (evaluation.score.mean_loss(), evaluation.score.mean_metric());
        let name = escape(name);
        format!("<tr><th>{name}</th><td>{bytes}</td><td>{loss:.4}</td><td>{metric:.4}</td></tr>\n")
    };
    let metric = models.first().map_or("", |model| model.evaluation.loss.val_metric_name());
    let rows: String = models.iter().map(row).collect();
    format!(
        "<h2>Models</h2>\n<p>As the files answer, run on the validation data.</p>\n\
         <table><tr><th>file</th><th>bytes</th><th>val_loss</th><th>{metric}</th></tr>\n{rows}</table>\n"
    )
}

/// What quantization did to each layer.
pub fn error_table(errors: &[LayerError]) -> String {
    let row = |LayerError { name, worst, rms, range }: &LayerError| {
        let name = escape(name);
        format!("<tr><th>{name}</th><td>{worst:.6}</td><td>{rms:.6}</td><td>{range:.4}</td></tr>\n")
    };
    let rows: String = errors.iter().map(row).collect();
    format!(
        "<h2>Error of the 8-bit model</h2>\n<p>Of each layer's output against the f32 network, on the sequences \
         that the ranges were taken from; range is the largest f32 output.</p>\n\
         <table><tr><th>layer</th><th>worst</th><th>rms</th><th>range</th></tr>\n{rows}</table>\n"
    )
}
