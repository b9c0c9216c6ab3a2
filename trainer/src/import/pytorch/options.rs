//! What a state dict does not say, as flags of `ernn import`.

use anyhow::{Result, bail, ensure};
use clap::ValueEnum;

use super::modules::{Module, listed};
use crate::activation::Activation;
use crate::config::check_epsilon;

/// Flags that only a `.safetensors` file needs.
#[derive(clap::Args, Clone, Debug, Default, PartialEq)]
#[command(next_help_heading = "What a .safetensors file does not say")]
pub struct Options {
    /// Take only tensors whose names begin so, and leave that out of the names: `encoder.`
    #[arg(long, value_name = "PREFIX")]
    pub prefix: Option<String>,
    /// Leave out these modules, or all tensors below them: `stft_conv,conv1`
    #[arg(long, value_name = "MODULE,..", value_delimiter = ',')]
    pub without: Vec<String>,
    /// All modules in their order, where more than one fits: `lstm,fc1,fc2`
    #[arg(long, value_name = "MODULE,..", value_delimiter = ',')]
    pub modules: Vec<String>,
    /// What a weight of two axes without a bias is, where both fit: `table=embedding`
    #[arg(long = "as", value_name = "MODULE=ROLE,..", value_delimiter = ',', value_parser = role)]
    pub role: Vec<(String, Role)>,
    /// Functions after modules; nothing is done where none is given: `fc1=relu,fc2=softmax`
    #[arg(long, value_name = "MODULE=FUNCTION,..", value_delimiter = ',', value_parser = activation)]
    pub activation: Vec<(String, Activation)>,
    /// The function of nn.RNN: tanh unless said otherwise
    #[arg(long)]
    pub nonlinearity: Option<Nonlinearity>,
    /// Answer at every step, and not only after the last one
    #[arg(long)]
    pub return_sequences: bool,
    /// The epsilon of BatchNorm1d and LayerNorm: 1e-5 unless said otherwise
    #[arg(long)]
    pub eps: Option<f64>,
}

/// What a weight of two axes without a bias is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// A row for every id
    Embedding,
    /// Weighted sums without a bias
    Linear,
}

/// Functions that nn.RNN can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Nonlinearity {
    /// PyTorch's default
    Tanh,
    /// max(x, 0)
    Relu,
}

fn pair(text: &str) -> Result<(String, &str), String> {
    let (module, value) = text.split_once('=').ok_or("not MODULE=VALUE")?;
    Ok((module.to_owned(), value))
}

fn role(text: &str) -> Result<(String, Role), String> {
    let (module, role) = pair(text)?;
    Ok((module, Role::from_str(role, false).map_err(|_| "a role is embedding or linear")?))
}

fn activation(text: &str) -> Result<(String, Activation), String> {
    let (module, name) = pair(text)?;
    Ok((module, Activation::from_keras_name(name).ok_or_else(|| format!("no function is called {name}"))?))
}

impl Options {
    /// The first flag that is given.
    pub fn given(&self) -> Option<&'static str> {
        let flags = [
            ("--prefix", self.prefix.is_some()),
            ("--without", !self.without.is_empty()),
            ("--modules", !self.modules.is_empty()),
            ("--as", !self.role.is_empty()),
            ("--activation", !self.activation.is_empty()),
            ("--nonlinearity", self.nonlinearity.is_some()),
            ("--return-sequences", self.return_sequences),
            ("--eps", self.eps.is_some()),
        ];
        flags.into_iter().find_map(|(flag, given)| given.then_some(flag))
    }

    /// The name of a tensor without the prefix, if it is taken.
    pub(super) fn select(&self, tensor: &str) -> Option<String> {
        let name = self.below_prefix(tensor)?;
        let out = self.without.iter().any(|out| is_below(name, out));
        (!out).then(|| name.to_owned())
    }

    fn below_prefix<'a>(&self, tensor: &'a str) -> Option<&'a str> {
        tensor.strip_prefix(self.prefix.as_deref().unwrap_or_default())
    }

    /// Refuses to take nothing, or to leave out what is not there.
    pub(super) fn check_selection(&self, tensors: &[String]) -> Result<()> {
        let names: Vec<_> = tensors.iter().filter_map(|tensor| self.below_prefix(tensor)).collect();
        if names.is_empty() {
            match &self.prefix {
                Some(prefix) => bail!("--prefix {prefix}: no tensor's name begins so"),
                None => bail!("no tensors"),
            }
        }
        for out in &self.without {
            ensure!(names.iter().any(|name| is_below(name, out)), "--without {out}: no such module");
        }
        ensure!(tensors.iter().any(|tensor| self.select(tensor).is_some()), "--without: nothing is left");
        Ok(())
    }

    /// Refuses names of modules that are not there, twice, or missing, and flags that nothing is meant by.
    pub(super) fn check_modules(&self, modules: &[Module]) -> Result<()> {
        for (flag, names) in [
            ("--modules", self.modules.iter().collect::<Vec<_>>()),
            ("--as", self.role.iter().map(|(name, _)| name).collect()),
            ("--activation", self.activation.iter().map(|(name, _)| name).collect()),
        ] {
            for (k, name) in names.iter().enumerate() {
                let known = modules.iter().any(|module| module.name == **name);
                ensure!(known, "{flag} {name}: no such module: there are {}", listed(modules));
                ensure!(!names[..k].contains(name), "{flag} {name}: there twice");
            }
        }
        if !self.modules.is_empty()
            && let Some(missing) = modules.iter().find(|module| !self.modules.contains(&module.name))
        {
            bail!("--modules: {} is missing: --without {} leaves it out", missing.name, missing.name);
        }
        check_epsilon(self.eps)?;
        let any = |kinds: &[&str]| {
            modules.iter().flat_map(|module| &module.forms).any(|form| kinds.contains(&form.what))
        };
        for (flag, given, kinds) in [
            ("--nonlinearity", self.nonlinearity.is_some(), &["RNN"][..]),
            ("--return-sequences", self.return_sequences, &["RNN", "LSTM", "GRU"]),
            ("--eps", self.eps.is_some(), &["BatchNorm1d", "LayerNorm"]),
        ] {
            ensure!(!given || any(kinds), "{flag}: there is no {}", kinds.join(" or "));
        }
        Ok(())
    }

    /// What is done after a module.
    pub(super) fn activation_of(&self, module: &str) -> Option<Activation> {
        self.activation.iter().find(|(name, _)| name == module).map(|&(_, function)| function)
    }

    /// What a module is said to be.
    pub(super) fn role_of(&self, module: &str) -> Option<Role> {
        self.role.iter().find(|(name, _)| name == module).map(|&(_, role)| role)
    }

    /// Of normalizations: PyTorch's default unless said otherwise.
    pub(super) fn epsilon(&self) -> f32 {
        self.eps.unwrap_or(1e-5) as f32
    }

    /// Of nn.RNN: PyTorch's default unless said otherwise.
    pub(super) fn rnn_activation(&self) -> Activation {
        match self.nonlinearity {
            None | Some(Nonlinearity::Tanh) => Activation::Tanh,
            Some(Nonlinearity::Relu) => Activation::Relu,
        }
    }
}

/// Whether a tensor belongs to a module, or to one inside it.
fn is_below(tensor: &str, module: &str) -> bool {
    tensor.strip_prefix(module).is_some_and(|rest| rest.starts_with('.'))
}
