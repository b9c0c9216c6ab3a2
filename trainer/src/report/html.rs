//! Tables.

use crate::metrics::{Confusion, Quality};

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
        "<h2>Confusion matrix</h2>\n<p>Rows: the right class; columns: the given one.</p>\n\
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
        "<h2>Classes</h2>\n<table><tr><th>class</th><th>precision</th><th>recall</th><th>F1</th>\
         <th>support</th></tr>\n{classes}{averages}</table>\n"
    )
}
