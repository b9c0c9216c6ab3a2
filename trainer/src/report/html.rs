//! The tables of the report, and text as HTML.

use std::fmt::Write;

use super::ModelFacts;
use embedded_rnn_nn::evaluate::Evaluation;
use embedded_rnn_nn::forecast::{Comparison, Errors, Row};
use embedded_rnn_nn::loss::{Loss, THRESHOLD};
use embedded_rnn_nn::metrics::{Confusion, Quality};
use embedded_rnn_pack::LayerError;
use embedded_rnn_pack::summary::LayerSummary;

/// Escapes text for HTML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Formats an integer with commas between thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let comma = |(k, digit): (usize, char)| {
        let starts = k > 0 && (digits.len() - k).is_multiple_of(3);
        [starts.then_some(','), Some(digit)].into_iter().flatten()
    };
    digits.chars().enumerate().flat_map(comma).collect()
}

/// Returns a table of a header and finished rows, which scrolls where the page is too narrow.
fn table(class: &str, head: &[&str], rows: &str) -> String {
    let head: String = head.iter().map(|name| format!("<th>{name}</th>")).collect();
    format!(
        "<div class=\"scroll\"><table class=\"{class}\"><thead><tr>{head}</tr></thead>\n\
         <tbody>{rows}</tbody></table></div>\n"
    )
}

/// Returns a table with a name and a value per row.
pub fn facts_table(facts: &[(&str, String)]) -> String {
    let row = |(name, value): &(&str, String)| {
        format!("<tr><th>{}</th><td>{}</td></tr>\n", escape(name), escape(value))
    };
    let rows: String = facts.iter().map(row).collect();
    format!("<table class=\"facts\"><tbody>{rows}</tbody></table>\n")
}

/// Returns a size of a model in bytes.
type Size = fn(&ModelFacts<'_>) -> u32;

/// The columns of sizes; a column without a value above 0 is omitted.
const SIZES: [(&str, Size); 3] = [
    ("flash, bytes", |model| model.summary.flash_bytes),
    ("RAM, bytes", |model| model.summary.ram_bytes),
    ("RAM per time step, bytes", |model| model.summary.ram_bytes_per_step),
];

/// Returns the table of the model files: metrics on the test data and sizes. The last row compares i8 with
/// f32: the difference of each metric, and each size in percent.
pub fn model_table(loss: Loss, models: &[ModelFacts<'_>]) -> String {
    let quality = |model: &ModelFacts<'_>| {
        let score = &model.evaluation.score;
        let f1 = model.evaluation.confusion.as_ref().map(|confusion| confusion.macro_average().f1);
        let more = model.evaluation.more().into_iter().map(|(_, value)| value);
        [score.mean_metric(), score.mean_loss()].into_iter().chain(f1).chain(more).collect::<Vec<_>>()
    };
    let sizes: Vec<_> = SIZES.into_iter().filter(|(_, f)| models.iter().any(|model| f(model) > 0)).collect();
    let mut rows = String::new();
    for model in models {
        let cells: String = quality(model).iter().map(|v| format!("<td>{v:.4}</td>")).collect();
        let bytes: String =
            sizes.iter().map(|(_, f)| format!("<td>{}</td>", grouped(f(model).into()))).collect();
        let name = escape(model.name);
        _ = writeln!(rows, "<tr><th>{name}</th>{cells}{bytes}</tr>");
    }
    if let [float, integer] = models {
        let pairs = quality(float).into_iter().zip(quality(integer));
        let cells: String = pairs.map(|(a, b)| format!("<td>{:+.4}</td>", b - a)).collect();
        let share = |f: Size| 100.0 * f64::from(f(integer)) / f64::from(f(float).max(1));
        let shares: String = sizes.iter().map(|&(_, f)| format!("<td>{:.0} %</td>", share(f))).collect();
        _ = writeln!(rows, "<tr class=\"sum first\"><th>i8 compared with f32</th>{cells}{shares}</tr>");
    }
    let mut head = vec!["file", loss.metric_name(), "loss"];
    if models.iter().any(|model| model.evaluation.confusion.is_some()) {
        head.push("macro F1");
    }
    head.extend(models.iter().take(1).flat_map(|model| model.evaluation.more()).map(|(name, _)| name));
    head.extend(sizes.iter().map(|(name, _)| name));
    table("", &head, &rows)
}

/// Returns the section of the further scores, with a row per score and a column per model; empty without any.
pub fn score_table(models: &[ModelFacts<'_>]) -> String {
    let columns: Vec<_> = models.iter().map(|model| model.evaluation.details()).collect();
    let Some(first) = columns.first().filter(|first| !first.is_empty()) else { return String::new() };
    let mut rows = String::new();
    for (k, (name, _)) in first.iter().enumerate() {
        let cells = columns
            .iter()
            .filter_map(|column| column.get(k))
            .map(|(_, value)| format!("<td>{value:.4}</td>"));
        _ = writeln!(rows, "<tr><th>{name}</th>{}</tr>", cells.collect::<String>());
    }
    let head: Vec<&str> =
        std::iter::once("score").chain(models.iter().map(|model| model.summary.dtype)).collect();
    format!("<h2>Scores</h2>\n{}", table("", &head, &rows))
}

/// Returns the table of the thresholds of a detector, the default one and that of the validation data.
pub fn detector_table(models: &[ModelFacts<'_>]) -> String {
    let row = |model: &ModelFacts<'_>, threshold: f64, evaluation: &Evaluation| {
        let Quality { precision, recall, f1, .. } =
            evaluation.confusion.as_ref().map_or(Quality::default(), |confusion| confusion.class(1));
        format!(
            "<tr><th>{}</th><td>{threshold:.4}</td><td>{precision:.4}</td><td>{recall:.4}</td>\
             <td>{f1:.4}</td></tr>\n",
            escape(model.name)
        )
    };
    let mut rows = String::new();
    for model in models {
        rows += &row(model, THRESHOLD, model.evaluation);
        if let Some(detector) = model.detector {
            rows += &row(model, detector.threshold, &detector.evaluation);
        }
    }
    let note = match models.iter().any(|model| model.detector.is_some()) {
        true => "The second threshold of a model has the best F1 on the validation data.",
        false => "Without validation data, no threshold was chosen.",
    };
    format!("<p>{note}</p>\n{}", table("", &["file", "threshold", "precision", "recall", "F1"], &rows))
}

/// Returns the table of the layers of a model.
pub fn layer_table(model: &ModelFacts<'_>) -> String {
    let mut rows = String::new();
    for layer in &model.summary.layers {
        let LayerSummary { kind, input_size, units, .. } = layer;
        let (name, activation) = (escape(&layer.name), layer.activation.unwrap_or(""));
        let (parameters, macs) = (grouped(layer.parameters), grouped(layer.macs_per_step));
        let options = layer.options();
        _ = writeln!(
            rows,
            "<tr><th>{name}</th><td class=\"text\">{kind}</td><td>{input_size}</td><td>{units}</td>\
             <td class=\"text\">{activation}</td><td class=\"text\">{options}</td>\
             <td>{parameters}</td><td>{macs}</td></tr>"
        );
    }
    let head =
        ["layer", "type", "input size", "units", "activation", "options", "parameters", "MACs per step"];
    table("layers", &head, &rows)
}

/// Limit of the classes of a confusion matrix that is still readable.
const MAX_CLASSES: usize = 60;

/// Returns the confusion matrix: a row per true class, a column per predicted class. The color of a cell is
/// stronger the larger its share of the row.
pub fn confusion_table(confusion: &Confusion) -> String {
    let present = confusion.present();
    if present.len() > MAX_CLASSES {
        return format!("<p>The matrix of {} classes is too large to show.</p>\n", present.len());
    }
    let labels: Vec<String> = present.iter().map(|&class| escape(&confusion.label(class))).collect();
    let head: String = labels.iter().map(|label| format!("<th>{label}</th>")).collect();
    // Labels that are too wide together are vertical; on a narrow page all that are words.
    let across: usize = labels.iter().map(|label| label.chars().count().max(3) + 1).sum();
    let longest = labels.iter().map(|label| label.chars().count()).max();
    let class = match longest {
        _ if across > 64 => " class=\"vertical\"",
        Some(4..) => " class=\"words\"",
        _ => "",
    };
    let row = |(&truth, label): (&usize, &String)| {
        let support = confusion.support(truth);
        let pairs = present.iter().zip(&labels);
        let cells: String = pairs
            .map(|(&predicted, other)| {
                let count = confusion.get(truth, predicted);
                cell(truth == predicted, count, support, &format!("true {label}, predicted {other}"))
            })
            .collect();
        format!("<tr><th>{label}</th>{cells}</tr>\n")
    };
    let rows: String = present.iter().zip(&labels).map(row).collect();
    format!(
        "<div class=\"scroll\"><table class=\"matrix\"><thead><tr{class}><th></th>{head}</tr></thead>\n\
         <tbody>{rows}</tbody></table></div>\n"
    )
}

/// Returns a cell of the matrix. A count of 1 is visible too.
fn cell(is_correct: bool, count: u64, support: u64, title: &str) -> String {
    if count == 0 {
        return "<td>0</td>".to_owned();
    }
    let share = count as f64 / support.max(1) as f64;
    let class = if is_correct { "hit" } else { "miss" };
    let full = if share > 0.6 { " full" } else { "" };
    let alpha = 0.25 + 0.75 * share;
    format!(
        "<td class=\"{class}{full}\" style=\"--share:{alpha:.3}\" title=\"{title}: {count} of {support}\">\
         {count}</td>"
    )
}

/// Returns the table of precision, recall and F1 per class, and their averages.
pub fn quality_table(confusion: &Confusion) -> String {
    let row = |class: &str, name: &str, quality: Quality| {
        let Quality { precision, recall, f1, support } = quality;
        format!(
            "<tr{class}><th>{name}</th><td>{precision:.4}</td><td>{recall:.4}</td><td>{f1:.4}</td>\
             <td>{support}</td></tr>\n"
        )
    };
    let one = |&class: &usize| row("", &escape(&confusion.label(class)), confusion.class(class));
    let mut rows: String = confusion.present().iter().map(one).collect();
    for (k, (name, quality)) in confusion.averages().into_iter().enumerate() {
        let class = if k == 0 { " class=\"sum first\"" } else { " class=\"sum\"" };
        rows += &row(class, &format!("{name} average"), quality);
    }
    table("", &["class", "precision", "recall", "F1", "support"], &rows)
}

/// Returns the section that compares a forecast with the naive forecasts.
pub fn comparison_table(comparison: &Comparison) -> String {
    let row = |(name, Errors { mae, rmse }): &Row| {
        format!("<tr><th>{}</th><td>{mae:.4}</td><td>{rmse:.4}</td></tr>\n", escape(name))
    };
    let rows: String = comparison.rows().map(row).collect();
    let verdicts: String =
        comparison.verdicts().iter().map(|verdict| format!("<p>{}.</p>\n", escape(verdict))).collect();
    format!(
        "<h2>Forecast</h2>\n<p>Forecasts of {}.</p>\n{}{verdicts}",
        escape(&comparison.what),
        table("", &["forecast", "MAE", "RMSE"], &rows)
    )
}

/// Returns the table of the quantization error per layer.
pub fn error_table(errors: &[LayerError]) -> String {
    let row = |LayerError { name, worst, rms, range }: &LayerError| {
        let (name, percent) = (escape(name), 100.0 * rms / range.max(f64::MIN_POSITIVE));
        format!(
            "<tr><th>{name}</th><td>{worst:.6}</td><td>{rms:.6}</td><td>{range:.4}</td>\
             <td>{percent:.3} %</td></tr>\n"
        )
    };
    let rows: String = errors.iter().map(row).collect();
    table("", &["layer", "worst", "rms", "range", "rms / range"], &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        let grouped = [0, 12, 999, 1000, 26256, 1234567].map(grouped);
        assert_eq!(grouped, ["0", "12", "999", "1,000", "26,256", "1,234,567"]);
    }

    #[test]
    fn long_labels_of_a_matrix_are_vertical() {
        let mut few = Confusion::new(vec!["a<b".into(), "c".into()]);
        few.count(0, 1);
        let table = confusion_table(&few);
        assert!(
            table.contains("title=\"true a&lt;b, predicted c: 1 of 1\"")
                && !table.contains("class=\"vertical\"")
        );
        let mut many = Confusion::default();
        (0..40).for_each(|class| many.count(class, class));
        assert!(confusion_table(&many).contains("class=\"vertical\""));
        (0..61).for_each(|class| many.count(class, class));
        assert_eq!(confusion_table(&many), "<p>The matrix of 61 classes is too large to show.</p>\n");
    }
}
