//! The options of an import from PyTorch: the architecture, which a state dict does not contain.
//!
//! Error messages spell them as the flags of `ernn import`.

use anyhow::{Result, bail, ensure};

use embedded_rnn_nn::activation::Activation;

/// The epsilon of PyTorch's normalizations, unless it is given.
const DEFAULT_EPSILON: f64 = 1e-5;

/// The facts that a state dict does not contain, given by the user.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Use only tensors whose names start with this prefix, and remove it from the names.
    pub prefix: Option<String>,
    /// Exclude these modules, with all tensors below them, and these tensors.
    pub without: Vec<String>,
    /// All modules in their order. Empty: the order follows from the sizes, if the names allow that.
    pub modules: Vec<String>,
    /// The role of modules with a weight of two axes and no bias.
    pub roles: Vec<(String, WeightRole)>,
    /// The activations after modules. Modules that are not listed are linear.
    pub activations: Vec<(String, Activation)>,
    /// The tensors that are the initial states of modules: h, and c for an LSTM.
    pub initial: Vec<(String, Vec<String>)>,
    /// The activation of nn.RNN, tanh unless it is given.
    pub nonlinearity: Option<Nonlinearity>,
    /// Whether the network outputs every time step, and not only the last.
    pub return_sequences: bool,
    /// Whether the output is the last time step of both directions, `out[:, -1]`, and not their final states.
    pub last_step: bool,
    /// The epsilon of BatchNorm1d and LayerNorm, 1e-5 unless it is given.
    pub eps: Option<f64>,
}

/// The role of a weight of two axes without a bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightRole {
    /// A row per id.
    Embedding,
    /// A matrix product without a bias.
    Linear,
}

/// The activation of nn.RNN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nonlinearity {
    /// PyTorch's default.
    Tanh,
    /// max(x, 0).
    Relu,
}

impl Options {
    /// Returns the flag of the first option that is set.
    pub(super) fn first_flag(&self) -> Option<&'static str> {
        // Without `..`: a further option that is missing here is an unused variable.
        let Self {
            prefix,
            without,
            modules,
            roles,
            activations,
            initial,
            nonlinearity,
            return_sequences,
            last_step,
            eps,
        } = self;
        let flags = [
            ("--prefix", prefix.is_some()),
            ("--without", !without.is_empty()),
            ("--modules", !modules.is_empty()),
            ("--as", !roles.is_empty()),
            ("--activation", !activations.is_empty()),
            ("--initial", !initial.is_empty()),
            ("--nonlinearity", nonlinearity.is_some()),
            ("--return-sequences", *return_sequences),
            ("--last-step", *last_step),
            ("--eps", eps.is_some()),
        ];
        flags.into_iter().find_map(|(flag, is_set)| is_set.then_some(flag))
    }

    /// Returns the name of a tensor without the prefix, if the tensor is selected.
    pub(super) fn select(&self, tensor: &str) -> Option<String> {
        let name = self.below_prefix(tensor)?;
        let is_excluded = self.without.iter().any(|module| is_below(name, module));
        (!is_excluded).then(|| name.to_owned())
    }

    fn below_prefix<'a>(&self, tensor: &'a str) -> Option<&'a str> {
        tensor.strip_prefix(self.prefix.as_deref().unwrap_or_default())
    }

    /// Checks that tensors are selected, and that the excluded modules and tensors exist.
    ///
    /// # Errors
    /// The option that selects nothing.
    pub(super) fn check_selection(&self, tensors: &[String]) -> Result<()> {
        let names: Vec<_> = tensors.iter().filter_map(|tensor| self.below_prefix(tensor)).collect();
        if names.is_empty() {
            match &self.prefix {
                Some(prefix) => bail!("--prefix {prefix}: no tensor name starts with it"),
                None => bail!("no tensors"),
            }
        }
        for module in &self.without {
            let exists = names.iter().any(|name| is_below(name, module));
            ensure!(exists, "--without {module}: no such module or tensor");
        }
        ensure!(tensors.iter().any(|tensor| self.select(tensor).is_some()), "--without: no tensor is left");
        Ok(())
    }

    /// Returns the activation after a module.
    pub(super) fn activation_of(&self, module: &str) -> Option<Activation> {
        self.activations.iter().find(|(name, _)| name == module).map(|&(_, activation)| activation)
    }

    /// Returns the role of a module, if it is given.
    pub(super) fn role_of(&self, module: &str) -> Option<WeightRole> {
        self.roles.iter().find(|(name, _)| name == module).map(|&(_, role)| role)
    }

    /// Returns the epsilon of normalizations.
    pub(super) fn epsilon(&self) -> f32 {
        self.eps.unwrap_or(DEFAULT_EPSILON) as f32
    }

    /// Returns the activation of nn.RNN.
    pub(super) fn rnn_activation(&self) -> Activation {
        match self.nonlinearity {
            None | Some(Nonlinearity::Tanh) => Activation::Tanh,
            Some(Nonlinearity::Relu) => Activation::Relu,
        }
    }
}

/// Returns whether a tensor is this one, or belongs to this module or to one inside it.
fn is_below(tensor: &str, excluded: &str) -> bool {
    tensor.strip_prefix(excluded).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
