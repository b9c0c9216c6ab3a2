//! Layers: what they hold, and their way forward and back over a packed batch.

mod dense;
mod normalization;
mod recurrent;

pub use dense::Dense;
pub use normalization::Normalization;
pub use recurrent::Recurrent;

use crate::tensor::{Flow, Matrix, Real, product};

/// What a layer did with a batch.
pub struct Trace<T: Real> {
    /// What it gave.
    pub output: Flow<T>,
    /// What only the layer itself reads, on the way back.
    kept: Vec<Matrix<T>>,
}

/// What a backward pass through a layer found.
pub struct Gradients<T: Real> {
    /// Of the layer's parameters, in their order.
    pub parameters: Vec<Matrix<T>>,
    /// Of the sums that the layer takes over its input, `[sums x columns]`: the way on to the input's own
    /// gradient, which a first layer does not need.
    sums: Matrix<T>,
}

/// A layer and its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer<T: Real> {
    /// Unique in its network.
    pub name: String,
    /// What it is.
    pub kind: Kind<T>,
}

/// What a layer is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind<T: Real> {
    /// Brings every feature to mean 0 and variance 1.
    Normalization(Normalization<T>),
    /// Runs a cell over time.
    Recurrent(Recurrent<T>),
    /// Weighted sums of every frame, and an activation.
    Dense(Dense<T>),
}

impl<T: Real> Kind<T> {
    /// Features out.
    pub fn output_size(&self) -> usize {
        match self {
            Self::Normalization(layer) => layer.mean.nrows(),
            Self::Recurrent(layer) => layer.cell.get().hidden_size(),
            Self::Dense(layer) => layer.weight.nrows(),
        }
    }

    /// Everything that is trained, by name, in a fixed order.
    pub fn parameters(&self) -> Vec<(&'static str, &Matrix<T>)> {
        match self {
            Self::Normalization(_) => Vec::new(),
            Self::Recurrent(layer) => layer.cell.get().parameters(),
            Self::Dense(layer) => vec![("weight", &layer.weight), ("bias", &layer.bias)],
        }
    }

    /// The same, to change.
    pub fn parameters_mut(&mut self) -> Vec<&mut Matrix<T>> {
        match self {
            Self::Normalization(_) => Vec::new(),
            Self::Recurrent(layer) => layer.cell.get_mut().parameters_mut(),
            Self::Dense(layer) => vec![&mut layer.weight, &mut layer.bias],
        }
    }

    /// Runs over a batch.
    pub fn forward(&self, input: &Flow<T>) -> Trace<T> {
        match self {
            Self::Normalization(layer) => layer.forward(input),
            Self::Recurrent(layer) => layer.forward(input),
            Self::Dense(layer) => layer.forward(input),
        }
    }

    /// Goes back: from the gradient of the output to those of the parameters.
    pub fn backward(&self, input: &Flow<T>, trace: &Trace<T>, d_output: Matrix<T>) -> Gradients<T> {
        match self {
            Self::Normalization(_) => Gradients { parameters: Vec::new(), sums: d_output },
            Self::Recurrent(layer) => layer.backward(input, trace, &d_output),
            Self::Dense(layer) => layer.backward(input, trace, d_output),
        }
    }

    /// And on to the gradient of the input, `[in x columns]`.
    pub fn input_gradient(&self, gradients: &Gradients<T>) -> Matrix<T> {
        match self {
            Self::Normalization(layer) => layer.scaled(&gradients.sums),
            Self::Recurrent(layer) => product(&layer.cell.get().w_ih().transpose(), &gradients.sums),
            Self::Dense(layer) => product(&layer.weight.transpose(), &gradients.sums),
        }
    }

    /// The same layer in another kind of number.
    pub fn cast<U: Real>(&self) -> Kind<U> {
        match self {
            Self::Normalization(layer) => Kind::Normalization(layer.cast()),
            Self::Recurrent(layer) => Kind::Recurrent(layer.cast()),
            Self::Dense(layer) => Kind::Dense(layer.cast()),
        }
    }
}
