//! The command `cargo xtask demo`.

mod serve;

use std::fs;
use std::path::PathBuf;
use std::thread;

use anyhow::{Context, Result};
use clap::Args;
use xtask::cmd::root;

use super::{browser, delegate, wasm};
use serve::Server;

/// Where the page expects the package.
const PACKAGE: &str = "embedded-rnn";

/// Builds the page of docs/demo with the package for browsers, and serves it to this machine
#[derive(Args)]
#[command(after_help = "Examples:\n  cargo xtask demo\n  cargo xtask demo --build\n\n\
                        The folder target/wasm/demo can be put on any server of files.")]
pub struct Demo {
    /// Port of the server
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// Only build the page, in target/wasm/demo
    #[arg(long)]
    build: bool,
    /// Only make the model and the recordings in docs/demo, from the spoken-digits example
    #[arg(long)]
    write: bool,
}

impl Demo {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        if self.write {
            return delegate::run("xtask-boards", "demo").run();
        }
        let site = build()?;
        println!("page: {}", site.display());
        if self.build {
            return Ok(());
        }
        let server = Server::new(&site, self.port)?;
        println!("open {} in a browser; Ctrl-C ends the server", server.address()?);
        server.run();
        Ok(())
    }
}

/// Returns the reason why this machine cannot test the page; `None` if it can.
pub fn missing() -> Option<String> {
    wasm::missing().or_else(browser::missing)
}

/// Tests the page in Chromium, as a step of CI.
pub fn check() -> Result<()> {
    let server = Server::new(&build()?, 0)?;
    let page = server.address()?;
    thread::spawn(|| server.run());
    let ernn = browser::build_ernn()?;
    browser::test("demo.mjs", &page)?.env("ERNN", ernn).env("ROOT", root()).run()
}

/// Builds the page beside the package, and returns its folder.
fn build() -> Result<PathBuf> {
    let site = wasm::folder().join("demo");
    wasm::build(&site.join(PACKAGE))?;
    let page = root().join("docs/demo");
    for file in fs::read_dir(&page).with_context(|| page.display().to_string())? {
        let file = file?.path();
        wasm::copy(&file, &site.join(file.file_name().unwrap_or_default()))?;
    }
    Ok(site)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_loads_the_package_from_where_it_is_put() {
        let page = fs::read_to_string(root().join("docs/demo/demo.js")).unwrap();
        assert!(page.contains(&format!("\"./{PACKAGE}/embedded_rnn.js\"")));
    }
}
