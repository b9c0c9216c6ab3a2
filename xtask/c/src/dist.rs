//! The command `cargo xtask dist`: prebuilt libraries with the header, as a CMake package, a Zephyr
//! module and an Arduino library.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xtask::cmd::{Cmd, root, which};
use xtask::cross::{self, Choice, ThisMachine};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::cores::{CORES, CORTEX_M4F};
use crate::{board, document, header, library};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Runs the command.
pub fn run() -> Result<()> {
    header::check()?;
    let dist = root().join("target/dist");
    let package = dist.join(format!("ernn-{VERSION}"));
    if package.exists() {
        fs::remove_dir_all(&package)?;
    }
    let targets: Vec<&str> = CORES.iter().map(|core| core.target).collect();
    let toolchain = cross::decide(&ThisMachine::look()?, &targets, Choice::Auto)?;
    for core in &CORES {
        let library = library::build(&toolchain, core)?;
        place(&library, &package.join("lib").join(core.name).join("libernn.a"))?;
    }
    place(&header::path(), &package.join("include/ernn.h"))?;
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        place(&root().join(licence), &package.join(licence))?;
    }
    let templates = header::crate_dir().join("dist");
    place(&templates.join("cmake/ernnConfig.cmake"), &cmake_folder(&package).join("ernnConfig.cmake"))?;
    write(
        &cmake_folder(&package).join("ernnConfigVersion.cmake"),
        CMAKE_VERSION.replace("@VERSION@", VERSION),
    )?;
    for file in ["module.yml", "Kconfig", "CMakeLists.txt"] {
        place(&templates.join("zephyr").join(file), &package.join("zephyr").join(file))?;
    }
    let arduino = arduino(&dist, &package, &templates.join("arduino"))?;
    println!("{}\n{}", package.display(), arduino.display());
    check_forms(&dist, &package, &arduino)?;
    check(&dist, &package)
}

/// Accepts versions that are compatible by semantic versioning before 1.0.
const CMAKE_VERSION: &str = "\
set(PACKAGE_VERSION @VERSION@)
if(PACKAGE_FIND_VERSION VERSION_GREATER PACKAGE_VERSION)
  set(PACKAGE_VERSION_COMPATIBLE FALSE)
else()
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
  if(PACKAGE_FIND_VERSION STREQUAL PACKAGE_VERSION)
    set(PACKAGE_VERSION_EXACT TRUE)
  endif()
endif()
";

fn cmake_folder(package: &Path) -> PathBuf {
    package.join("lib/cmake/ernn")
}

/// Copies a file, and makes the folder that it goes to.
fn place(from: &Path, to: &Path) -> Result<()> {
    write(to, fs::read(from).with_context(|| from.display().to_string())?)
}

fn write(to: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    fs::create_dir_all(to.parent().context("a file has a folder")?)?;
    fs::write(to, content).with_context(|| to.display().to_string())
}

/// Makes the Arduino library, a zip that its IDE installs, and returns its path.
fn arduino(dist: &Path, package: &Path, templates: &Path) -> Result<PathBuf> {
    let path = dist.join(format!("ernn-arduino-{VERSION}.zip"));
    let properties = fs::read_to_string(templates.join("library.properties"))?;
    let properties = properties.replace("@VERSION@", VERSION).replace("@URL@", env!("CARGO_PKG_REPOSITORY"));
    let model = document::model_header(dist)?;
    let mut files = vec![
        ("library.properties".to_owned(), properties.into_bytes()),
        ("src/ernn.h".to_owned(), fs::read(header::path())?),
        ("LICENSE-MIT".to_owned(), fs::read(package.join("LICENSE-MIT"))?),
        ("LICENSE-APACHE".to_owned(), fs::read(package.join("LICENSE-APACHE"))?),
        ("examples/Step/Step.ino".to_owned(), fs::read(templates.join("examples/Step/Step.ino"))?),
        ("examples/Step/tiny.h".to_owned(), fs::read(model)?),
    ];
    for core in &CORES {
        let library = fs::read(package.join("lib").join(core.name).join("libernn.a"))?;
        files.push((format!("src/{}/libernn.a", core.arduino), library));
    }
    let mut zip = ZipWriter::new(File::create(&path).with_context(|| path.display().to_string())?);
    for (name, content) in files {
        zip.start_file(format!("ernn/{name}"), SimpleFileOptions::default())?;
        zip.write_all(&content)?;
    }
    zip.finish()?;
    Ok(path)
}

/// Checks the forms of the Zephyr module and of the Arduino library with packages of PyPI.
fn check_forms(dist: &Path, package: &Path, arduino: &Path) -> Result<()> {
    let (venv, folder) = (dist.join("venv"), header::crate_dir().join("dist"));
    let made = Cmd::new("python3").args(["-m", "venv", "--clear"]).args([&venv]).run();
    let python = || Cmd::new(venv.join("bin/python"));
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    let installed = made.and_then(|()| python().args(install).args([folder.join("requirements.txt")]).run());
    if let Err(error) = installed {
        println!("not checked: the forms of the Zephyr module and the Arduino library: {error:#}");
        return Ok(());
    }
    python().args([&folder.join("check_forms.py"), package, arduino]).run()
}

/// Checks what the tools on this machine can: a link per core, and a program built with the CMake package.
fn check(dist: &Path, package: &Path) -> Result<()> {
    println!("not checked: the module in a build of Zephyr, the Arduino library on a board");
    if which(board::GCC).is_none() {
        println!("not checked: links, as {} is not installed", board::GCC);
        return Ok(());
    }
    let replay = header::crate_dir().join("examples/replay.c");
    for core in &CORES {
        if core.gcc.is_empty() {
            println!("not checked: a link for {}, which gcc for Arm has not", core.name);
            continue;
        }
        let library = package.join("lib").join(core.name).join("libernn.a");
        board::link(core, &replay, &library, &dist.join(format!("replay-{}.elf", core.name)))?;
    }
    if which("cmake").is_none() {
        println!("not checked: the CMake package, as cmake is not installed");
        return Ok(());
    }
    let build = dist.join("cmake-example");
    Cmd::new("cmake")
        .args(["-S", "bindings/c/examples/cmake", "-B"])
        .args([&build])
        .args(["--fresh", "-DCMAKE_SYSTEM_NAME=Generic", "-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY"])
        .args([format!("-DCMAKE_PREFIX_PATH={}", package.display())])
        .args([format!("-DCMAKE_C_COMPILER={}", board::GCC)])
        .args([format!("-DCMAKE_C_FLAGS={}", CORTEX_M4F.gcc.join(" "))])
        .run()?;
    Cmd::new("cmake").args(["--build"]).args([build]).run()
}
