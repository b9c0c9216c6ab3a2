//! Time steps of which a [`Session`](crate::Session) has made sure beforehand that nothing is wrong with
//! them.

use super::Model;
use crate::number::Number;
use crate::state::State;

impl<N: Number, const F: u32> Model<'_, N, F> {
    /// Runs one time step of features; `x` is as long as one, and `state` is of this model.
    #[inline]
    pub(crate) fn step_checked<'s>(&self, state: &'s mut State<'_, N>, x: &[N::In]) -> &'s [N::Out] {
        debug_assert!(x.len() == self.input_size() && self.check_owner(state).is_ok());
        self.forward(state, x, &mut []);
        self.output(state.memory)
    }
}
