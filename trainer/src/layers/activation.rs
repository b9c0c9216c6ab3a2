//! A function of every value, or of all values of a frame: Keras's `Activation`.

use std::marker::PhantomData;

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{ForwardCache, Gradients, Kind, Module, Pass};
use crate::activation::Activation as Function;
use crate::config::LayerSpec;
use crate::data::Dataset;
use crate::reference::Observer;
use crate::tensor::{Matrix, PackedSequence, Real};

/// A function over frames of `size` features.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activation<T: Real> {
    /// Features in and out.
    pub size: usize,
    /// What is done to them.
    pub function: Function,
    number: PhantomData<T>,
}

impl<T: Real> Activation<T> {
    /// This function over `size` features.
    pub fn new(size: usize, function: Function) -> Self {
        Self { size, function, number: PhantomData }
    }

    /// From the gradient of its input, for a loss that takes the function's slope into its own.
    pub(crate) fn backward_pre_activations(&self, sums: Matrix<T>) -> Gradients<T> {
        Gradients::stateless(Vec::new(), sums)
    }

    pub(super) fn cast<U: Real>(&self) -> Activation<U> {
        Activation::new(self.size, self.function)
    }
}

/// An `Activation` layer in a config; names are Keras's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its name.
    pub name: Option<String>,
    /// What is done to every frame.
    pub activation: Function,
}

impl LayerSpec for Config {
    fn name(&self) -> Option<&String> {
        self.name.as_ref()
    }

    fn build(&self, input_size: usize, _: &Dataset, _: &mut ChaCha8Rng) -> Kind<f32> {
        Kind::Activation(Activation::new(input_size, self.activation))
    }
}

impl<T: Real> Module<T> for Activation<T> {
    fn output_size(&self) -> usize {
        self.size
    }

    fn forward(&self, input: &PackedSequence<T>, _: Pass<'_, T>) -> ForwardCache<T> {
        let mut values = input.values.clone();
        self.function.forward_columns(&mut values);
        ForwardCache::framewise(input, values, Vec::new())
    }

    fn backward(
        &self,
        input: &PackedSequence<T>,
        trace: &ForwardCache<T>,
        mut d_output: Matrix<T>,
        _: &[Matrix<T>],
    ) -> Gradients<T> {
        let at = if self.function.needs_pre_activations() { &input.values } else { &trace.output.values };
        self.function.backward_columns(at, &mut d_output);
        self.backward_pre_activations(d_output)
    }

    fn input_gradient(
        &self,
        _: &PackedSequence<T>,
        _: &ForwardCache<T>,
        gradients: &Gradients<T>,
    ) -> Matrix<T> {
        gradients.sums[0].clone()
    }

    fn forward_reference(
        &self,
        mut frames: Vec<Vec<T>>,
        _: &mut [Vec<T>],
        _: Observer<'_, T>,
    ) -> Vec<Vec<T>> {
        frames.iter_mut().for_each(|frame| self.function.forward(frame));
        frames
    }
}
