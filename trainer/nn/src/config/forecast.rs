//! The options of a config for the forecast of a series.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::Config;
use crate::activation::Activation;
use crate::data::{Data, Series, parse_date};
use crate::forecast::{Forecast, Windows};
use crate::layers::LayerConfig;
use crate::layers::dense::DenseConfig;

/// The largest window.
const LONGEST_WINDOW: usize = 1 << 16;

impl Config {
    /// Returns the windows into which the series is cut; `None` if the data is not a series.
    pub fn windows(&self) -> Result<Option<Windows>> {
        let data = &self.data;
        let other = data.window.is_some() || data.split_date.is_some() || data.difference;
        // A table of windows has the same extension, and none of the options of a series.
        if !other || data.file.extension().is_none_or(|extension| extension != "csv") {
            ensure!(
                !other,
                "data: split_date, window and difference are for a .csv file, a series to forecast"
            );
            return Ok(None);
        }
        let split_date = data.split_date.as_deref().context("data.split_date: a .csv file needs one")?;
        let split_date = parse_date(split_date).context("data.split_date")?;
        let window = data.window.context("data.window: a .csv file needs one")?;
        let fits = (1..=LONGEST_WINDOW).contains(&window);
        ensure!(fits, "data.window: {window} is not between 1 and {LONGEST_WINDOW}");
        let loss = self.training.loss;
        let is_value = !loss.is_crossentropy();
        ensure!(is_value, "training.loss: a forecast is a value, for mse, mae or huber, not {}", loss.name());
        ensure!(
            self.layers.last().is_some_and(can_be_scaled),
            "layers: a forecast needs a Dense layer at the end, linear and with biases, for its unit"
        );
        Ok(Some(Windows { split_date, window, difference: data.difference }))
    }

    /// Reads the data of the config at `path`, checked and without masked frames, together with the
    /// comparison data of a forecast if the config describes one.
    pub fn read_data(&self, path: &Path) -> Result<(Data, Option<Forecast>)> {
        let file = self.data_file(path);
        let place = || file.display().to_string();
        let (Data { train, validation, test, labels }, forecast) = match self.windows()? {
            Some(windows) => {
                let (data, forecast) = windows.cut(&Series::read(&file)?).with_context(place)?;
                (data, Some(forecast))
            }
            None => (Data::read(&file, self.data.labels.as_deref().unwrap_or_default())?, None),
        };
        let admit = |data| self.admit(data).with_context(place);
        let [validation, test] = [validation, test].map(|part| part.map(&admit).transpose());
        Ok((Data { train: admit(train)?, validation: validation?, test: test?, labels }, forecast))
    }
}

fn can_be_scaled(layer: &LayerConfig) -> bool {
    let LayerConfig::Dense(DenseConfig { activation, use_bias, .. }) = layer else { return false };
    *activation == Activation::Linear && use_bias.unwrap_or(true)
}
