use super::*;
use embedded_rnn_nn::forecast::Errors;
use embedded_rnn_nn::loss::Score;
use embedded_rnn_nn::metrics::Transcripts;
use embedded_rnn_pack::summary::LayerSummary;

fn summary(dtype: &'static str, flash_bytes: u32) -> Summary {
    let layer = LayerSummary {
        name: "l<1".to_owned(),
        kind: "Dense",
        input_size: 3,
        units: 2,
        activation: Some("softmax"),
        mask_value: Some(0.5),
        parameters: 1008,
        macs_per_step: 6,
        ..LayerSummary::default()
    };
    Summary {
        name: "a<b".to_owned(),
        producer: String::new(),
        dtype,
        input_size: 3,
        input_ids: None,
        output_size: 2,
        returns_sequences: false,
        encoder_decoder: false,
        whole_sequences: false,
        labels: Vec::new(),
        layers: vec![layer],
        parameters: 1008,
        flash_bytes,
        ram_bytes: 64,
        ram_bytes_per_step: 0,
        macs_per_step: 6,
        self_test: "passed".to_owned(),
    }
}

fn page(loss: Loss, confusion: Option<Confusion>) -> String {
    page_of(loss, confusion, None)
}

fn page_of(loss: Loss, confusion: Option<Confusion>, transcripts: Option<Transcripts>) -> String {
    let epoch = Epoch {
        loss: 1.0,
        metric: 0.5,
        val_loss: Some(1.5),
        val_metric: Some(0.25),
        learning_rate: 0.002,
        gradient_norm: 3.5,
    };
    let of = |metric| {
        let score = Score { loss: 1.5, metric, columns: 1 };
        let perplexity = transcripts.map(|_| 4.5);
        Evaluation { confusion: confusion.clone(), perplexity, transcripts, ..Evaluation::new(loss, score) }
    };
    let (float, integer) = (of(0.25), of(0.125));
    let models = [
        ModelFacts { name: "model.ernn", summary: summary("f32", 4000), evaluation: &float, detector: None },
        ModelFacts {
            name: "model.i8.ernn",
            summary: summary("i8", 1000),
            evaluation: &integer,
            detector: None,
        },
    ];
    let errors = [LayerError { name: "l<1".to_owned(), worst: 0.5, rms: 0.25, range: 2.0 }];
    let (facts, history) = ([("seed", "7".to_owned())], vec![epoch, epoch]);
    let config = "units = 3 # <&>";
    let last_value = ("last-value".to_owned(), Errors { mae: 2.0, rmse: 4.0 });
    let model = ("model.ernn".to_owned(), Errors { mae: 1.0, rmse: 1.0 });
    let comparison = Comparison { what: "<index>".to_owned(), models: vec![model], simple: vec![last_value] };
    Report {
        name: "a<b",
        loss,
        scored: "test",
        facts: &facts,
        config,
        history: &history,
        models: &models,
        errors: &errors,
        comparison: (loss == Loss::Mse).then_some(&comparison),
    }
    .html()
    .unwrap()
}

#[test]
fn page_is_complete_and_has_no_external_resources() {
    let mut confusion = Confusion::new(vec!["<yes>".to_owned()]);
    confusion.count(0, 1);
    let page = page(Loss::CategoricalCrossentropy, Some(confusion));
    for part in [
        "<h1>a&lt;b",
        "<td>7</td>",
        "# &lt;&amp;&gt;",
        "val_accuracy</span>",
        "<b>25.00 %</b>",
        "<b>12.50 %</b>",
        "<td>-0.1250</td>",
        "<td>4,000</td>",
        "<td>25 %</td>",
        "true &lt;yes&gt;, predicted 1: 1 of 1",
        "macro average",
        "<th>l&lt;1</th><td>0.500000</td>",
        "<td>1,008</td>",
        "<td class=\"text\">mask_value=0.5</td>",
    ] {
        let part = part.replace("</span>", " 0.2500</span>");
        assert!(page.contains(&part), "{part} is missing");
    }
    let outside = page.replace("http://www.w3.org/2000/svg", "");
    for word in ["http", "src=", "url(", "<script", "@import", "<link"] {
        assert!(!outside.contains(word), "{word}");
    }
}

#[test]
fn ram_per_time_step_is_shown_where_it_is_needed() {
    let column = "<th>RAM per time step, bytes</th>";
    let facts = |bytes| {
        let mut summary = summary("f32", 4000);
        summary.ram_bytes_per_step = bytes;
        let score = Score { loss: 1.5, metric: 0.5, columns: 1 };
        let evaluation = Evaluation::new(Loss::Mse, score);
        model_table(Loss::Mse, &[ModelFacts { name: "m", summary, evaluation: &evaluation, detector: None }])
    };
    assert!(!facts(0).contains(column));
    let table = facts(1240);
    assert!(table.contains(column) && table.contains("<td>64</td><td>1,240</td></tr>"), "{table}");
}

#[test]
fn every_tag_is_closed() {
    let page = page(Loss::CategoricalCrossentropy, Some(Confusion::default()));
    for tag in ["svg", "table", "thead", "tbody", "tr", "td", "th", "div", "figure", "span", "p", "h2", "h3"]
    {
        let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn a_regression_has_no_classes() {
    let page = page(Loss::Mse, None);
    assert!(page.contains("test mae, i8") && page.contains("<b>0.1250</b>"));
    assert!(!page.contains("Confusion") && !page.contains("macro"));
    assert!(
        page.contains("<p>Forecasts of &lt;index&gt;.</p>")
            && page.contains("<th>last-value</th><td>2.0000</td>")
    );
    assert!(page.contains("<p>model.ernn beats the last-value forecast (RMSE 75.0 % less).</p>"));
}

#[test]
fn generated_sequences_have_their_own_metrics() {
    let transcripts = Transcripts { edits: 1, tokens: 8, correct: 3, sequences: 4 };
    let page = page_of(Loss::CategoricalCrossentropy, Some(Confusion::default()), Some(transcripts));
    for part in [
        "<b>12.50 %</b><span class=\"dim\">token error rate, f32",
        "<th>macro F1</th><th>perplexity</th><th>token error rate</th><th>sequences correct</th>\
         <th>flash, bytes</th>",
        "<td>4.5000</td><td>0.1250</td><td>0.7500</td><td>4,000</td>",
        "<td>+0.0000</td><td>+0.0000</td><td>+0.0000</td><td>+0.0000</td><td>25 %</td>",
    ] {
        assert!(page.contains(part), "{part} is missing");
    }
}
