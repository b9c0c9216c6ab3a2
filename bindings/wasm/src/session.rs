//! A model with one state, and the buffers through which it is used.

use crate::describe::describe;
use embedded_rnn::{AlignedBytes, AnyModel, AnyState, Error};

/// A model, its state, and the arguments and results of calls.
#[derive(Default)]
pub struct Session {
    /// A file, a state, or text.
    pub bytes: Vec<u8>,
    /// Inputs or outputs.
    pub values: Vec<f32>,
    opened: Option<(AnyModel, AnyState)>,
}

impl Session {
    pub fn open(&mut self) -> bool {
        let opened = AnyModel::new(AlignedBytes::new(&self.bytes))
            .and_then(|model| model.state().map(|state| (model, state)));
        match opened {
            Ok((model, state)) => {
                self.bytes = describe(&model).into_bytes();
                self.opened = Some((model, state));
                true
            }
            Err(error) => self.fail(error),
        }
    }

    pub fn step(&mut self) -> bool {
        self.call(|model, state, _, values| {
            let y = model.step(state, values)?;
            values.clear();
            values.extend_from_slice(y);
            Ok(())
        })
    }

    pub fn run(&mut self) -> bool {
        self.call(|model, state, _, values| {
            *values = model.run(state, values)?;
            Ok(())
        })
    }

    pub fn reset(&mut self) -> bool {
        self.call(|_, state, _, _| {
            state.reset();
            Ok(())
        })
    }

    pub fn save(&mut self) -> bool {
        self.call(|model, state, bytes, _| {
            *bytes = model.save(state)?;
            Ok(())
        })
    }

    pub fn restore(&mut self) -> bool {
        self.call(|model, state, bytes, _| model.restore(state, bytes))
    }

    pub fn self_test(&mut self) -> bool {
        self.call(|model, _, _, _| model.self_test())
    }

    /// Calls `work` with the model, its state, the bytes and the values.
    fn call(
        &mut self,
        work: impl FnOnce(&AnyModel, &mut AnyState, &mut Vec<u8>, &mut Vec<f32>) -> Result<(), Error>,
    ) -> bool {
        let Session { bytes, values, opened } = self;
        // Without a model there is nothing to run, which the reason for bytes without one states.
        let Some((model, state)) = opened else { return self.fail(Error::NotAModel) };
        match work(model, state, bytes, values) {
            Ok(()) => true,
            Err(error) => self.fail(error),
        }
    }

    fn fail(&mut self, error: Error) -> bool {
        self.bytes = error.to_string().into_bytes();
        false
    }
}
