//! Running an image on an emulated board, in a folder through which the two exchange files.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use defmt_decoder::{DecodeError, Table};
use xtask::boards::Board;

/// Limit of the time of one run; a run that takes longer hangs.
const TIMEOUT: Duration = Duration::from_secs(900);

/// Runs `image` with `folder` as its working folder, and prints its log.
///
/// # Errors
/// The image ends with any status but success, or does not end.
pub fn run(board: &Board, image: &Path, folder: &Path) -> Result<()> {
    let mut child = Command::new(board.qemu)
        .args(board.machine)
        .args(["-nographic", "-monitor", "none", "-serial", "none"])
        .args(["-semihosting-config", "enable=on,target=native"])
        .args(["-icount", &format!("shift={}", board.icount_shift)])
        .arg("-kernel")
        .arg(image)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("`{}` does not start: `cargo xtask setup` installs it", board.qemu))?;
    let mut stdout = child.stdout.take().context("stdout is piped")?;
    let log = thread::spawn(move || {
        let mut bytes = Vec::new();
        // The bytes before an error are still worth decoding.
        let _ = stdout.read_to_end(&mut bytes);
        bytes
    });
    let status = wait(&mut child, TIMEOUT);
    let log = log.join().map_err(|_| anyhow!("reading the log panicked"))?;
    fs::write(folder.join("log.defmt"), &log)?;
    for line in decode(&fs::read(image)?, &log)? {
        eprintln!("  {}: {line}", board.name);
    }
    match status? {
        status if status.success() => Ok(()),
        status => bail!("the board ended with {status}"),
    }
}

fn wait(child: &mut Child, timeout: Duration) -> Result<ExitStatus> {
    let start = Instant::now();
    while start.elapsed() < timeout {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        thread::sleep(Duration::from_millis(5));
    }
    child.kill()?;
    child.wait()?;
    bail!("the board was still running after {} s", timeout.as_secs())
}

/// Decodes a defmt log into lines. The image contains the texts, the log only their indices.
fn decode(image: &[u8], log: &[u8]) -> Result<Vec<String>> {
    let table = Table::parse(image)?.context("the image has no defmt table")?;
    let mut decoder = table.new_stream_decoder();
    decoder.received(log);
    let mut lines = Vec::new();
    loop {
        match decoder.decode() {
            Ok(frame) => {
                let level = frame.level().map_or("print", |level| level.as_str());
                lines.push(format!("{level}: {}", frame.display_message()));
            }
            Err(DecodeError::UnexpectedEof) => return Ok(lines),
            Err(DecodeError::Malformed) if table.encoding().can_recover() => {
                lines.push("(lost frame)".into())
            }
            Err(DecodeError::Malformed) => bail!("malformed log"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hanging_child_is_killed() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let error = wait(&mut child, Duration::from_millis(20)).unwrap_err().to_string();
        assert!(error.contains("still running"), "{error}");
        assert!(child.try_wait().unwrap().is_some());
    }

    #[test]
    fn the_status_of_a_child_is_returned() {
        let mut child = Command::new("false").spawn().unwrap();
        assert!(!wait(&mut child, Duration::from_secs(10)).unwrap().success());
    }
}
