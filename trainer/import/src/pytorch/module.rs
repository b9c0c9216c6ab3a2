//! A PyTorch module with its layers.

use embedded_rnn_nn::layers::Kind;

/// A module, with everything that its tensors can be.
pub struct TorchModule {
    /// The path, or the name of the class if the path is empty.
    pub name: String,
    /// The possible interpretations: one, except for a weight of either an Embedding or a Linear.
    pub candidates: Vec<Candidate>,
}

/// An interpretation of the tensors of a module.
pub struct Candidate {
    /// PyTorch's name of the class.
    pub class: &'static str,
    /// The input.
    pub input: InputKind,
    /// The number of output features.
    pub output_size: usize,
    /// The layers, first to last; recurrent ones return sequences.
    pub layers: Vec<NamedLayer>,
}

/// The input of a module per frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// One of this many ids.
    Ids(usize),
    /// This many features.
    Features(usize),
}

/// A layer with its name and origin.
pub struct NamedLayer {
    /// The name of the module, with the number of the layer if there are several.
    pub name: String,
    /// The description of the layer in PyTorch's terms.
    pub origin: String,
    /// The layer.
    pub kind: Kind<f32>,
}

impl Candidate {
    /// Creates the candidate of a module with one layer.
    pub fn single(
        path: &str,
        class: &'static str,
        input: InputKind,
        output_size: usize,
        kind: Kind<f32>,
    ) -> Self {
        let name = if path.is_empty() { class.to_lowercase() } else { path.to_owned() };
        let origin = format!("PyTorch {class} {path}").trim_end().to_owned();
        Self { class, input, output_size, layers: vec![NamedLayer { name, origin, kind }] }
    }
}

/// Lists modules with their input and output sizes, for error messages.
pub fn listed<'a>(modules: impl IntoIterator<Item = &'a TorchModule>) -> String {
    let candidate = |candidate: &Candidate| {
        let Candidate { class, input, output_size, .. } = candidate;
        match input {
            InputKind::Ids(ids) => format!("{class} {ids} ids -> {output_size}"),
            InputKind::Features(size) => format!("{class} {size} -> {output_size}"),
        }
    };
    let module = |module: &TorchModule| {
        let candidates: Vec<_> = module.candidates.iter().map(candidate).collect();
        format!("{} ({})", module.name, candidates.join(" or "))
    };
    modules.into_iter().map(module).collect::<Vec<_>>().join(", ")
}
