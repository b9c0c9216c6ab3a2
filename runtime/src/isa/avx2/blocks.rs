//! Blocks of weights by address.

use crate::isa::Sides;
use core::marker::PhantomData;

/// The rows of a block.
pub const ROWS: usize = 4;

/// Up to `N` blocks that contain all words of their rows.
pub struct Blocks<'a, const N: usize> {
    from: [*const i32; N],
    /// The number of blocks that are there.
    pub present: usize,
    words: PhantomData<&'a [i32]>,
}

impl<'a, const N: usize> Blocks<'a, N> {
    /// Takes the first blocks of `words`; `None` if there is none or if they are too short for rows at `at`
    /// with `sides`. A missing block is replaced by the first one, whose result is not used.
    #[inline(always)]
    pub fn new<const SIDES: usize>(
        words: &'a [i32],
        stride: usize,
        at: usize,
        sides: &Sides<'_, SIDES>,
    ) -> Option<Self> {
        let present = words.len().checked_div(stride)?.min(N);
        // The words are those of activations in memory, a few to each, so that their sum cannot wrap; `at` is
        // within a block.
        if present == 0 || stride < at + sides.words(ROWS) {
            return None;
        }
        let mut from = [words.as_ptr(); N];
        for (j, from) in from.iter_mut().enumerate() {
            *from = from.wrapping_add(if j < present { j * stride } else { 0 });
        }
        Some(Self { from, present, words: PhantomData })
    }

    /// Returns the address of word `at` of block `j`.
    #[inline(always)]
    pub fn at(&self, j: usize, at: usize) -> *const i32 {
        self.from[j % N].wrapping_add(at)
    }
}

/// Copies values, as many as there is room for: four at a time, as the activations of a layer are loaded by
/// the quad, and a load is forwarded from one store only.
#[inline(always)]
pub fn copy<T: Copy>(from: &[T], to: &mut [T]) {
    let count = from.len().min(to.len());
    let (from, others) = from[..count].as_chunks::<4>();
    let (to, rest) = to[..count].as_chunks_mut::<4>();
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    rest.iter_mut().zip(others).for_each(|(to, from)| *to = *from);
}
