//! Contents of a linked image: bytes of flash, constant tables, and forbidden symbols.

use anyhow::{Context, Result, ensure};
use object::{Object, ObjectSection, ObjectSymbol, SectionFlags, SectionKind, SymbolKind, elf};

/// The parts of one image that the tables show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Bytes in flash: code, constants and the start values of variables.
    pub flash: u64,
    /// Bytes of flash in the runtime's named constant tables.
    pub tables: u64,
    /// Bytes of variables in RAM.
    pub ram: u64,
    /// Symbols of panics and of an allocator.
    pub forbidden: Vec<String>,
}

/// Reads an ELF file.
pub fn contents(image: &[u8]) -> Result<Contents> {
    let file = object::File::parse(image).context("not an ELF file")?;
    let mut contents = Contents::default();
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags } = section.flags() else { continue };
        if sh_flags & u64::from(elf::SHF_ALLOC) == 0 {
            continue;
        }
        let in_file = section.file_range().is_some_and(|(_, size)| size > 0);
        if in_file {
            contents.flash += section.size();
        }
        if sh_flags & u64::from(elf::SHF_WRITE) != 0 && is_variables(section.kind()) {
            contents.ram += section.size();
        }
    }
    for symbol in file.symbols().filter(|symbol| symbol.is_definition()) {
        let name = format!("{:#}", rustc_demangle::demangle(symbol.name().unwrap_or_default()));
        if symbol.kind() == SymbolKind::Data && is_table(&name) {
            contents.tables += symbol.size();
        }
        if is_forbidden(&name) {
            contents.forbidden.push(name);
        }
    }
    contents.forbidden.sort();
    contents.forbidden.dedup();
    Ok(contents)
}

fn is_variables(kind: SectionKind) -> bool {
    matches!(kind, SectionKind::Data | SectionKind::UninitializedData)
}

/// Returns whether a symbol is a table of the runtime. The model is a constant of the firmware.
fn is_table(name: &str) -> bool {
    name.starts_with("embedded_rnn::") || name.starts_with("<embedded_rnn::")
}

fn is_forbidden(name: &str) -> bool {
    ["core::panicking", "panic_fmt", "rust_begin_unwind", "__rust_alloc", "__rust_dealloc", "__rg_alloc"]
        .iter()
        .any(|part| name.contains(part))
}

/// Flash of a network, without the harness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flash {
    /// Instructions and small constants.
    pub code: u64,
    /// Lookup tables.
    pub tables: u64,
    /// Model file.
    pub model: u64,
}

/// Subtracts the image that only starts up from the smallest image with a model.
pub fn without_harness(with_model: &Contents, baseline: &Contents, model: u64) -> Result<Flash> {
    let tables = with_model.tables;
    let rest = baseline.flash + tables + model;
    ensure!(
        with_model.flash > rest,
        "the image has {} bytes of flash, less than start-up, tables and model together ({rest}): \
         does it contain the model?",
        with_model.flash
    );
    Ok(Flash { code: with_model.flash - rest, tables, model })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flash(flash: u64, tables: u64) -> Contents {
        Contents { flash, tables, ..Contents::default() }
    }

    #[test]
    fn the_harness_is_subtracted() {
        let flash = without_harness(&flash(10_000, 2048), &flash(400, 0), 6000).unwrap();
        assert_eq!(flash, Flash { code: 1552, tables: 2048, model: 6000 });
    }

    #[test]
    fn an_image_without_its_model_is_an_error() {
        assert!(without_harness(&flash(5000, 0), &flash(400, 0), 6000).is_err());
    }

    #[test]
    fn names_are_classified() {
        assert!(is_table("embedded_rnn::activation::TANH"));
        assert!(!is_table("embedded_rnn_firmware::net::MODEL"));
        assert!(is_forbidden("core::panicking::panic_bounds_check"));
        assert!(is_forbidden("__rustc::rust_begin_unwind"));
        assert!(is_forbidden("__rustc::__rust_alloc"));
        assert!(!is_forbidden("embedded_rnn::step"));
    }

    #[test]
    fn garbage_is_rejected() {
        assert!(contents(b"not an image").is_err());
    }

    #[test]
    fn this_very_program_has_panics_and_an_allocator() {
        let image = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let found = contents(&image).unwrap();
        assert!(found.forbidden.iter().any(|name| name.contains("core::panicking")), "{:?}", found.forbidden);
        assert!(found.flash > 100_000);
    }
}
