//! `ernn init`: writes a config that fits a data set.

mod config;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use embedded_rnn_nn::config::keys_page;
use embedded_rnn_nn::output::write_atomically;

const HELP: &str = "\
The config has the layers, the loss and the options that fit the data: a detector for two classes, a
softmax for more, a linear layer for values, an Embedding for ids (integers, [n, time]), an encoder
and a decoder for pairs of sequences, and windows for a series. It is a start to be edited, and
trains as it is.

Examples:
  ernn init trainer/examples/digits/digits.npz
  ernn init trainer/examples/home_prices/us_home_price_index.csv -o prices.toml
  ernn init --keys | less";

/// Write a commented config that fits a data set
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Data set, or a series (.csv); without it, the config is to be completed
    pub data: Option<PathBuf>,
    /// Config to write [default: NAME.toml for the data NAME.npz, or config.toml]
    #[arg(short, long, value_name = "CONFIG.toml")]
    pub output: Option<PathBuf>,
    /// Replace the config if it exists
    #[arg(long)]
    pub force: bool,
    /// Print every key of a config with its default, unit and meaning instead
    #[arg(long, conflicts_with_all = ["data", "output", "force"])]
    pub keys: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    if args.keys {
        return super::print_line(keys_page().trim_end());
    }
    let name = args.data.as_deref().map_or_else(|| "config".to_owned(), name);
    let output = args.output.clone().unwrap_or_else(|| format!("{name}.toml").into());
    ensure!(args.force || !output.exists(), "{}: exists; --force replaces it", output.display());
    let (description, text) = match &args.data {
        Some(data) => config::fitting(data, &relative(data, &output)?, &name)?,
        None => (None, config::template()),
    };
    write_atomically(&output, |file| file.write_all(text.as_bytes()))?;
    if let Some(description) = description {
        super::print_line(&description)?;
    }
    let next = if args.data.is_some() { "train it with" } else { "enter the data and the layers, then" };
    super::print_line(&format!("Wrote {}; {next}: ernn train {}", output.display(), output.display()))
}

/// Returns a name for a config: that of the data, in characters that a config accepts.
fn name(data: &Path) -> String {
    let stem = data.file_stem().unwrap_or_default().to_string_lossy();
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let name: String = stem.chars().map(|c| if fits(c) { c } else { '_' }).collect();
    let name = name.trim_start_matches('.');
    if name.is_empty() { "config".to_owned() } else { name.to_owned() }
}

/// Returns the path of the data for a config: as given beside the config, otherwise from the root.
fn relative(data: &Path, output: &Path) -> Result<String> {
    let place = || data.display().to_string();
    let parent = output.parent().unwrap_or(Path::new(""));
    let path = if parent.as_os_str().is_empty() || data.is_absolute() {
        data.to_owned()
    } else {
        data.canonicalize().with_context(place)?
    };
    match path.to_str() {
        Some(path) => Ok(path.to_owned()),
        None => bail!("{}: a config cannot contain this path, which is not UTF-8", place()),
    }
}
