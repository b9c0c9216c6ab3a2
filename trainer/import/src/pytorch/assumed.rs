//! The facts that an import takes for granted, as a line for the user.

use super::module::{Candidate, TorchModule};
use super::options::Options;
use super::order::{Choice, shown};
use embedded_rnn_nn::activation::Activation;

/// Describes everything that neither the file nor an option determines, each with the option that changes it.
pub fn note(modules: &[TorchModule], order: &[Choice], options: &Options) -> Option<String> {
    let names = |is_meant: &dyn Fn(&TorchModule, &Candidate) -> bool| {
        let chosen = order.iter().map(|choice| &modules[choice.module]).zip(order);
        let meant = chosen.filter(|(module, choice)| is_meant(module, &module.candidates[choice.candidate]));
        meant.map(|(module, _)| &module.name[..]).collect::<Vec<_>>().join(",")
    };
    let of_class = |classes: &[&str]| names(&|_, candidate| classes.contains(&candidate.class));
    let mut assumed = Vec::new();
    let mut assume = |what: &str, modules: String, flag: &str| {
        if !modules.is_empty() {
            assumed.push(format!("{what}{modules} ({flag})"));
        }
    };
    if options.modules.is_empty() && order.len() > 1 {
        assume("the order ", shown(modules, order), "--modules");
    } else {
        for class in ["Embedding", "Linear"] {
            let own = names(&|module, candidate| module.candidates.len() > 1 && candidate.class == class);
            assume(&format!("{class} as the class of "), own, "--as");
        }
    }
    let is_linear = |module: &TorchModule, candidate: &Candidate| {
        ["Linear", "Conv1d"].contains(&candidate.class) && options.activation_of(&module.name).is_none()
    };
    assume("no activation after ", names(&is_linear), "--activation");
    let is_leaky = |module: &TorchModule, _: &Candidate| {
        options.activation_of(&module.name) == Activation::from_keras_name("leaky_relu")
    };
    assume("slope 0.2 (nn.LeakyReLU has 0.01) in leaky_relu after ", names(&is_leaky), "--activation");
    if options.nonlinearity.is_none() {
        assume("tanh in ", of_class(&["RNN"]), "--nonlinearity");
    }
    if options.eps.is_none() {
        assume("epsilon 1e-5 in ", of_class(&["BatchNorm1d", "LayerNorm"]), "--eps");
    }
    if !options.return_sequences {
        let recurrent = of_class(&["LSTM", "GRU", "RNN"]);
        assume("only the last time step of ", recurrent, "--return-sequences");
    }
    (!assumed.is_empty()).then(|| format!("Assumed: {}", assumed.join("; ")))
}
