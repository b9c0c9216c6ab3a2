//! A model and a state as a C program has them.

use std::mem::MaybeUninit;
use std::path::Path;

use embedded_rnn::AlignedBytes;
use ernn::ernn_status_t::{self, ERNN_OK};
use ernn::*;

/// Reads one of the runtime's test models.
pub fn file(name: &str) -> AlignedBytes {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../runtime/tests/data").join(name);
    AlignedBytes::new(&std::fs::read(path).unwrap())
}

/// Memory of a handle before it is initialized.
pub fn zeroed<T>() -> T {
    // SAFETY: only handles are made here, which consist of integers.
    unsafe { MaybeUninit::zeroed().assume_init() }
}

/// An open model with a state. Its parts stay where they are.
pub struct Open {
    pub model: Box<ernn_model_t>,
    pub state: Box<ernn_state_t>,
    pub ram: AlignedBytes,
    pub file: AlignedBytes,
}

impl Open {
    /// Opens a test model with RAM for sequences of so many time steps.
    pub fn new(name: &str, steps: usize) -> Self {
        let file = file(name);
        let (mut model, mut state, mut bytes) = (Box::new(zeroed()), Box::new(zeroed()), 0);
        // SAFETY: all pointers are those of the values above.
        unsafe {
            ok(ernn_open(&mut *model, file.as_ptr().cast(), file.len()));
            ok(ernn_ram_needed(&*model, steps, &mut bytes));
        }
        let mut ram = AlignedBytes::zeroed(bytes);
        // SAFETY: as above.
        ok(unsafe { ernn_state_init(&mut *state, &*model, ram.as_mut_ptr().cast(), ram.len()) });
        Open { model, state, ram, file }
    }

    /// Returns the facts of the model.
    pub fn info(&self) -> ernn_info_t {
        let mut info = MaybeUninit::uninit();
        // SAFETY: the call writes the facts.
        unsafe {
            ok(ernn_info(&*self.model, info.as_mut_ptr()));
            info.assume_init()
        }
    }

    /// Runs one time step of an i8 model with two inputs and three outputs.
    pub fn step_i8(&mut self, x: [i16; 2]) -> [i32; 3] {
        let mut y = [0; 3];
        // SAFETY: the lengths are those of the arrays.
        ok(unsafe { ernn_step_i8(&*self.model, &mut *self.state, x.as_ptr(), 2, y.as_mut_ptr(), 3) });
        y
    }
}

/// Asserts success.
pub fn ok(status: ernn_status_t) {
    assert_eq!(status, ERNN_OK);
}
