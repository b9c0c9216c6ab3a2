//! `ernn header`: a model as an aligned array of a C program, with its sizes as constants.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use embedded_rnn::{ALIGN, ram_needed, saved_len};
use embedded_rnn_nn::output::write_atomically;
use embedded_rnn_pack::session::Session;

use super::overwrite::Overwrite;

const HELP: &str = "\
The array is static: include the header in one source file. The names begin with the name of the model
file up to its first dot, or with --name. A build can depend on the constants:

  _Static_assert(DIGITS_RAM <= 1024, \"over budget\");

Example:
  ernn header out/digits/model.i8.ernn --name digits -o digits.h";

/// Bytes of the array per line.
const PER_LINE: usize = 20;

/// Write a model as a C header: an aligned array, and its sizes, dtype and labels as constants
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Model file (f32, f16 or i8)
    pub model: PathBuf,
    /// Beginning of the names in the header
    #[arg(long)]
    pub name: Option<String>,
    /// The path of the header to write
    #[arg(short, long, value_name = "MODEL.h")]
    pub output: PathBuf,
    /// Whether the output may replace an input.
    #[command(flatten)]
    pub overwrite: Overwrite,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    args.overwrite.check(&args.output, [&*args.model])?;
    let model = Session::read(&args.model)?;
    let name = match &args.name {
        Some(name) => name.clone(),
        None => name_of(&args.model),
    };
    ensure!(is_identifier(&name), "--name: `{name}` is not an identifier of C");
    let file = args.model.file_name().unwrap_or_default().to_string_lossy();
    let text = text(&model, &name, &file).with_context(|| args.model.display().to_string())?;
    write_atomically(&args.output, |out| out.write_all(text.as_bytes()))
}

/// Returns the name of a file up to its first dot, as an identifier.
fn name_of(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.split('.').next().unwrap_or_default();
    let plain = stem.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    if is_identifier(&plain) { plain } else { format!("model_{plain}") }
}

fn is_identifier(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(plain) && name.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// Returns the header of a model from `file`.
fn text(model: &Session, name: &str, file: &str) -> Result<String> {
    let upper = name.to_ascii_uppercase();
    let (bytes, preamble) = (model.bytes(), model.preamble());
    let mut text = format!(
        "// The model {}. Made by `ernn header`; include it in one source file.\n\n\
         #ifndef {upper}_MODEL_H\n#define {upper}_MODEL_H\n\n",
        file.escape_default()
    );
    let sizes = [
        ("DTYPE", model.dtype() as usize, "0: f32, 1: f16, 2: i8, as ernn_dtype_t"),
        ("INPUT", model.input_size(), "values per time step"),
        ("OUTPUT", model.output_size(), "values per output"),
        ("RAM", ram_needed(bytes), "bytes of a state"),
        ("RAM_PER_STEP", preamble.ram_per_step as usize, "bytes per time step, added for whole sequences"),
        ("SAVED", saved_len(bytes), "most bytes of a saved state"),
        ("LEN", bytes.len(), "bytes of the model"),
    ];
    for (constant, value, meaning) in sizes {
        writeln!(text, "#define {upper}_{constant} {value} // {meaning}")?;
    }
    writeln!(
        text,
        "#define {upper}_OUTPUT_SCALE {:e}f // real value of one unit of the output",
        preamble.output_scale
    )?;
    write_labels(&mut text, &model.labels(), name)?;
    write_array(&mut text, bytes, name)?;
    text.push_str("\n#endif\n");
    Ok(text)
}

/// Writes the names of the classes, if there are any.
fn write_labels(text: &mut String, labels: &[String], name: &str) -> Result<()> {
    let upper = name.to_ascii_uppercase();
    writeln!(text, "#define {upper}_LABELS {} // names of classes", labels.len())?;
    if labels.is_empty() {
        return Ok(());
    }
    writeln!(text, "\nstatic const char *const {name}_labels[{upper}_LABELS] = {{")?;
    for label in labels {
        writeln!(text, "    \"{}\",", escaped(label))?;
    }
    text.push_str("};\n");
    Ok(())
}

/// Returns the content of a string literal. Bytes beyond plain ASCII have three octal digits, which no
/// character behind them can lengthen; a question mark could begin a trigraph.
fn escaped(label: &str) -> String {
    let byte = |byte: u8| match byte {
        b'"' | b'\\' | b'?' => format!("\\{}", char::from(byte)),
        b' '..=b'~' => char::from(byte).to_string(),
        other => format!("\\{other:03o}"),
    };
    label.bytes().map(byte).collect()
}

/// Writes the bytes as an array at a multiple of [`ALIGN`], in the words of C, C++ or older compilers.
fn write_array(text: &mut String, bytes: &[u8], name: &str) -> Result<()> {
    let upper = name.to_ascii_uppercase();
    write!(
        text,
        "\n#if defined(__cplusplus)\n#define {upper}_ALIGNED alignas({ALIGN})\n\
         #elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L\n\
         #define {upper}_ALIGNED _Alignas({ALIGN})\n\
         #else\n#define {upper}_ALIGNED __attribute__((aligned({ALIGN})))\n#endif\n\n\
         {upper}_ALIGNED static const unsigned char {name}_model[{upper}_LEN] = {{\n"
    )?;
    for line in bytes.chunks(PER_LINE) {
        let values: Vec<String> = line.iter().map(u8::to_string).collect();
        writeln!(text, "    {},", values.join(","))?;
    }
    text.push_str("};\n");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_identifiers() {
        let name = |file: &str| name_of(Path::new(file));
        assert_eq!(name("out/digits.i8.ernn"), "digits");
        assert_eq!(name("wake-word 2.ernn"), "wake_word_2");
        assert_eq!(name("8x8.ernn"), "model_8x8");
        assert!(!is_identifier("") && !is_identifier("a-b") && !is_identifier("9"));
    }

    #[test]
    fn labels_are_string_literals_of_the_same_bytes() {
        assert_eq!(escaped("a \"b\" \\ ??=\n"), "a \\\"b\\\" \\\\ \\?\\?=\\012");
        assert_eq!(escaped("ä1"), "\\303\\2441");
    }
}
