//! The comparison of forecasts with simple ones that use the last values only.

use std::fmt;

use super::Forecast;
use crate::evaluate::Evaluation;

/// The errors of forecasts, in the unit of the series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Errors {
    /// The mean absolute error.
    pub mae: f64,
    /// The root of the mean squared error.
    pub rmse: f64,
}

/// The name of a forecast, and its errors.
pub type Row = (String, Errors);

/// Forecasts of the same values, to be compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The description of the forecast values.
    pub what: String,
    /// The models.
    pub models: Vec<Row>,
    /// The simple forecasts, which are the baselines of the models.
    pub simple: Vec<Row>,
}

impl Errors {
    /// Summarizes the errors of single values.
    pub fn of(errors: &[f64]) -> Self {
        let mean = |size: fn(&f64) -> f64| errors.iter().map(size).sum::<f64>() / errors.len() as f64;
        Self { mae: mean(|error| error.abs()), rmse: mean(|error| error * error).sqrt() }
    }
}

impl Comparison {
    /// Compares models that were run on [`Forecast::test`].
    pub fn of<'a>(forecast: &Forecast, models: impl Iterator<Item = (&'a str, &'a Evaluation)>) -> Self {
        let errors = |evaluation: &'a Evaluation| {
            let residuals = evaluation.residuals.as_ref()?;
            Some(Errors { mae: residuals.mae(), rmse: residuals.rmse() })
        };
        let models =
            models.filter_map(|(name, evaluation)| Some((name.to_owned(), errors(evaluation)?))).collect();
        Self { what: forecast.what.clone(), models, simple: forecast.simple.clone() }
    }

    /// Iterates over all forecasts, the models first.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.models.iter().chain(&self.simple)
    }

    /// Formats for each model whether it beats each simple forecast.
    pub fn verdicts(&self) -> Vec<String> {
        let against = |model| self.simple.iter().map(move |simple| verdict(model, simple));
        let verdict =
            |(name, model): &Row| format!("{name} {}", against(*model).collect::<Vec<_>>().join(" and "));
        self.models.iter().map(verdict).collect()
    }
}

fn verdict(model: Errors, (name, simple): &Row) -> String {
    match (model.mae < simple.mae, model.rmse < simple.rmse) {
        (true, true) => {
            let less = 100.0 * (1.0 - model.rmse / simple.rmse);
            format!("beats the {name} forecast (RMSE {less:.1} % less)")
        }
        (true, false) => format!("beats the {name} forecast by MAE, but not by RMSE"),
        (false, true) => format!("beats the {name} forecast by RMSE, but not by MAE"),
        (false, false) => format!("does not beat the {name} forecast"),
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Forecast of {}", self.what)?;
        writeln!(f, "{:>16} {:>10} {:>10}", "", "MAE", "RMSE")?;
        for (name, Errors { mae, rmse }) in self.rows() {
            writeln!(f, "{name:>16} {mae:>10.4} {rmse:>10.4}")?;
        }
        write!(f, "{}", self.verdicts().join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_as_counted_by_hand() {
        assert_eq!(Errors::of(&[3.0, -1.0, 1.0, 1.0]), Errors { mae: 1.5, rmse: 3.0f64.sqrt() });
    }

    #[test]
    fn who_beats_whom_is_said_in_words() {
        let last = ("last-value".to_owned(), Errors { mae: 1.0, rmse: 2.0 });
        for (mae, rmse, expected) in [
            (0.5, 1.0, "beats the last-value forecast (RMSE 50.0 % less)"),
            (0.5, 2.0, "beats the last-value forecast by MAE, but not by RMSE"),
            (1.0, 1.0, "beats the last-value forecast by RMSE, but not by MAE"),
            (1.0, 2.0, "does not beat the last-value forecast"),
            (f64::NAN, f64::NAN, "does not beat the last-value forecast"),
        ] {
            assert_eq!(verdict(Errors { mae, rmse }, &last), expected);
        }
    }

    #[test]
    fn every_model_is_held_against_every_simple_forecast() {
        let row = |name: &str, error| (name.to_owned(), Errors { mae: error, rmse: error });
        let simple = vec![row("a", 2.0), row("b", 1.0)];
        let comparison = Comparison { what: "x".to_owned(), models: vec![row("m", 1.0)], simple };
        assert_eq!(
            comparison.verdicts(),
            ["m beats the a forecast (RMSE 50.0 % less) and does not beat the b forecast"]
        );
        assert!(comparison.to_string().contains("\n               b     1.0000     1.0000\nm beats"));
    }
}
