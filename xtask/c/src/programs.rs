//! C programs on this machine: every compiler that is installed, as C and as C++, with AddressSanitizer.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Result, bail};
use xtask::cmd::{Cmd, target_dir, which};

use crate::{board, document, header, library, vectors};

/// A compiler with the flags of its language.
struct Compiler {
    program: &'static str,
    is_c: bool,
    language: &'static [&'static str],
}

const COMPILERS: [Compiler; 4] = [
    Compiler { program: "gcc", is_c: true, language: &["-std=c99"] },
    Compiler { program: "clang", is_c: true, language: &["-std=c99"] },
    Compiler { program: "g++", is_c: false, language: &["-std=c++17", "-x", "c++"] },
    Compiler { program: "clang++", is_c: false, language: &["-std=c++17", "-x", "c++"] },
];

const SANITIZER: [&str; 2] = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

/// Libraries that the standard library of Rust links.
const SYSTEM: [&str; 3] = ["-lpthread", "-ldl", "-lm"];

/// Runs the command `cargo xtask c`.
pub fn run() -> Result<()> {
    header::check()?;
    let conformance = vectors::prepare()?;
    let library = library::build_for_host()?;
    let folder = target_dir().join("c-programs");
    fs::create_dir_all(&folder)?;
    let installed: Vec<&Compiler> = COMPILERS.iter().filter(|each| which(each.program).is_some()).collect();
    if installed.is_empty() {
        bail!("no C compiler is installed");
    }
    for compiler in COMPILERS.iter().filter(|each| which(each.program).is_none()) {
        println!("skipped: {} is not installed", compiler.program);
    }
    let replay = header::crate_dir().join("examples/replay.c");
    let example = document::example(&folder)?;
    for compiler in installed {
        let sanitizer = compiler.sanitizer(&folder)?;
        if sanitizer.is_empty() {
            println!("without AddressSanitizer: {} has no library of it", compiler.program);
        }
        let build = |source| compiler.build(source, sanitizer, &library, &folder);
        Cmd::new(build(&replay)?).dir(&conformance).run()?;
        if compiler.is_c {
            Cmd::new(build(&example)?).run()?;
        }
    }
    board::run(&replay, &folder, &conformance)
}

impl Compiler {
    /// Returns the flags of AddressSanitizer, none if the compiler's library of it is not installed.
    fn sanitizer(&self, folder: &Path) -> Result<&'static [&'static str]> {
        let source = folder.join("empty.c");
        fs::write(&source, "int main(void) { return 0; }\n")?;
        let link = Cmd::new(self.program).args(SANITIZER).args([&source]).args(["-o"]);
        Ok(if link.args([folder.join("empty")]).output().is_some() { &SANITIZER } else { &[] })
    }

    /// Builds a program of one source and returns its path.
    fn build(&self, source: &Path, sanitizer: &[&str], library: &Path, folder: &Path) -> Result<PathBuf> {
        let stem = source.file_stem().unwrap_or_default().to_string_lossy();
        let program = folder.join(format!("{stem}-{}{}", self.program, env::consts::EXE_SUFFIX));
        Cmd::new(self.program)
            .args(["-g", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror"])
            .args(sanitizer)
            .args(["-I"])
            .args([header::path().parent().unwrap_or(Path::new("."))])
            .args(self.language)
            .args([source])
            .args(["-x", "none"])
            .args([library])
            .args(SYSTEM)
            .args(["-o"])
            .args([&program])
            .run()?;
        Ok(program)
    }
}
