//! The state of a training run on disk: one file, replaced after each epoch.
//!
//! The format is postcard, followed by its CRC-32; a truncated or modified file is rejected.

use std::io;
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use crc::{CRC_32_ISO_HDLC, CRC_64_XZ, Crc};
use serde::{Deserialize, Serialize};

use super::{History, Parts, Run, Weights, check_network, restore, values};
use crate::config::Config;
use crate::data::{Dataset, Sequences, Targets};
use crate::output::write_atomically;

const FORMAT: &str = "ernn checkpoint 4";
const CHECKSUM: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// The identity of a run, which a checkpoint must match to be resumed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    config: String,
    /// The fingerprint of the data that the network is trained on.
    training: u64,
    /// The fingerprint of the data that it is scored on after each epoch.
    validation: Option<u64>,
    /// The fingerprint of the data that it is scored on at the end.
    test: Option<u64>,
    seed: u64,
}

/// The content of the file.
#[derive(Serialize, Deserialize)]
pub struct Checkpoint {
    format: String,
    identity: Identity,
    history: History,
    updates: u64,
    parameters: Vec<Vec<f32>>,
    statistics: Vec<Vec<f32>>,
    mean: Vec<Vec<f32>>,
    square: Vec<Vec<f32>>,
    best: Option<Weights>,
}

impl Identity {
    /// Identifies a run of `config` on these data. If the number of epochs does not influence the first
    /// epochs, it may be raised and the run resumed.
    pub fn new(config: &Config, parts: &Parts, seed: u64) -> Self {
        let mut config = config.clone();
        if !config.training.depends_on_epochs() {
            config.training.epochs = 0;
        }
        // The path of the data and the names of its classes may change; the data itself may not.
        config.data.file = "".into();
        config.data.labels = None;
        Self {
            config: format!("{config:?}"),
            training: checksum(&parts.train),
            validation: parts.validation.as_ref().map(checksum),
            test: parts.test.as_ref().map(checksum),
            seed,
        }
    }

    fn check(&self, found: &Self) -> Result<()> {
        ensure!(found.config == self.config, "belongs to another config: start without --resume");
        ensure!(found.seed == self.seed, "belongs to seed {}, not {}", found.seed, self.seed);
        for (part, same) in [
            ("training", found.training == self.training),
            ("validation", found.validation == self.validation),
            ("test", found.test == self.test),
        ] {
            ensure!(same, "belongs to other {part} data: start without --resume");
        }
        Ok(())
    }
}

/// Computes a fingerprint of the whole data set.
fn checksum(data: &Dataset) -> u64 {
    let crc = Crc::<u64>::new(&CRC_64_XZ);
    let mut digest = crc.digest();
    let sequences = &data.sequences;
    add_sequences(&mut digest, sequences);
    match &data.targets {
        Targets::Labels(labels) => labels.iter().for_each(|label| digest.update(&label.to_le_bytes())),
        Targets::Values { values, .. } => values.iter().for_each(|value| digest.update(&value.to_le_bytes())),
        Targets::Sequences(targets) => add_sequences(&mut digest, targets),
    }
    data.weights.iter().flatten().for_each(|weight| digest.update(&weight.to_le_bytes()));
    digest.finalize()
}

fn add_sequences(digest: &mut crc::Digest<'_, u64>, sequences: &Sequences) {
    digest.update(&(sequences.features as u64).to_le_bytes());
    (0..sequences.len()).for_each(|s| digest.update(&(sequences.steps(s) as u64).to_le_bytes()));
    sequences.frames().iter().for_each(|value| digest.update(&value.to_le_bytes()));
}

impl Checkpoint {
    /// Captures the current state of a run.
    pub fn of(run: &Run, identity: &Identity) -> Self {
        Self {
            format: FORMAT.to_owned(),
            identity: identity.clone(),
            history: run.history.clone(),
            updates: run.moments.updates,
            parameters: values(&run.network.parameters()),
            statistics: values(&run.network.statistics()),
            mean: values(&run.moments.mean.iter().collect::<Vec<_>>()),
            square: values(&run.moments.square.iter().collect::<Vec<_>>()),
            best: run.best.clone(),
        }
    }

    /// Writes the checkpoint atomically: the old or the new one exists at any time.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut bytes = postcard::to_allocvec(self).map_err(io::Error::other)?;
        let checksum = CHECKSUM.checksum(&bytes);
        bytes.extend(checksum.to_le_bytes());
        write_atomically(path, |file| file.write_all(&bytes))
    }

    /// Reads the checkpoint at `path`, if there is one.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let place = || path.display().to_string();
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(place),
        };
        let read = || -> Result<Self> {
            let (body, sum) =
                bytes.split_last_chunk::<4>().map(|(b, s)| (b, *s)).context("not a checkpoint: empty")?;
            ensure!(CHECKSUM.checksum(body) == u32::from_le_bytes(sum), "not a checkpoint, or damaged");
            let checkpoint: Self = postcard::from_bytes(body).context("not a checkpoint of this version")?;
            ensure!(checkpoint.format == FORMAT, "not a checkpoint of this version");
            Ok(checkpoint)
        };
        read().map(Some).with_context(place)
    }

    /// Restores the state of this checkpoint into a new run of the same identity.
    ///
    /// # Errors
    /// Another identity, more epochs than `epochs`, or a number in the checkpoint that is not finite.
    pub fn restore(&self, run: &mut Run, identity: &Identity, epochs: usize) -> Result<()> {
        identity.check(&self.identity)?;
        ensure!(
            self.history.len() <= epochs,
            "has {} epochs, but the config has {epochs}",
            self.history.len()
        );
        if let Some(best) = &self.best {
            let epochs = self.history.len();
            ensure!((1..=epochs).contains(&best.epoch), "its best epoch is {} of {epochs}", best.epoch);
            best.restore(&mut run.network)?;
            let check = check_network(&run.network);
            check.map_err(|error| anyhow!("best epoch: {error}: start without --resume"))?;
        }
        restore(run.network.parameters_mut(), &self.parameters)?;
        restore(run.network.statistics_mut(), &self.statistics)?;
        restore(run.moments.mean.iter_mut().collect(), &self.mean)?;
        restore(run.moments.square.iter_mut().collect(), &self.square)?;
        run.moments.updates = self.updates;
        run.history = self.history.clone();
        run.best = self.best.clone();
        run.check_finite().map_err(|error| anyhow!("{error}: start without --resume"))
    }
}
