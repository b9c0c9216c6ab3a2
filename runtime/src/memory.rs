//! Memory that the caller owns: room for a state, and model bytes at an aligned place.

/// Room for the state of a model: `Ram::<{ ram_needed(MODEL) }>`.
///
/// ```
/// use embedded_rnn::{Ram, include_model, ram_needed};
///
/// static MODEL: &[u8] = include_model!("../tests/data/tiny.ernn");
/// const RAM: usize = ram_needed(MODEL);
///
/// let mut on_the_stack = Ram::<RAM>::new();
/// static A_STATIC: Ram<RAM> = Ram::new(); // in a cell or a mutex of the firmware's choice
/// # let _ = (&mut on_the_stack, &A_STATIC);
/// ```
#[derive(Debug, Clone)]
#[repr(C, align(8))]
pub struct Ram<const BYTES: usize>([u8; BYTES]);

impl<const BYTES: usize> Ram<BYTES> {
    /// Zeroed memory; `const`, so that it can be a static.
    pub const fn new() -> Self {
        Ram([0; BYTES])
    }
}

impl<const BYTES: usize> Default for Ram<BYTES> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const BYTES: usize> AsMut<[u8]> for Ram<BYTES> {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

/// Bytes at a multiple of [`ALIGN`](crate::ALIGN); what [`include_model!`](crate::include_model) makes.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub struct Aligned<T: ?Sized>(pub T);

const _: () = assert!(align_of::<Aligned<[u8; 0]>>() == crate::ALIGN);
