//! Observation of the values inside a network while its reference forward pass runs.

/// A value inside a layer whose range quantization needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// A frame that enters the layer.
    Input,
    /// The pre-activations: all gates of a recurrent layer, or the outputs of a dense one.
    PreActivations,
    /// The state with this index after the time step, in the order of
    /// [`Cell::states`](crate::cells::Cell::states); in a bidirectional layer those of the forward direction
    /// come first.
    State(usize),
    /// A frame that leaves the layer.
    Output,
}

/// An observer of the values inside a layer.
pub type Observer<'a, T> = &'a mut dyn FnMut(Signal, &[T]);

/// An observer of the values inside a network: the number of the layer, and the arguments of an [`Observer`].
pub type NetworkObserver<'a, T> = &'a mut dyn FnMut(usize, Signal, &[T]);
