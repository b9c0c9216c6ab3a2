//! Handles: a model and a state, each in memory of the caller, behind a mark that shows that it was
//! initialized.

use crate::buffer::Buffer;
use crate::status::ernn_status_t::{self, *};
use core::ops::Range;
#[cfg(feature = "f16")]
use embedded_rnn::F16;
#[cfg(feature = "f32")]
use embedded_rnn::F32;
#[cfg(feature = "i8")]
use embedded_rnn::I8;
use embedded_rnn::{Model, QuantIo, State};

include!(concat!(env!("OUT_DIR"), "/features.rs"));

/// An open model. The content is private; `ernn_open` initializes it.
#[repr(C)]
#[derive(Debug)]
pub struct ernn_model_t {
    content: [u64; 16],
}

/// The state of a sequence. The content is private; `ernn_state_init` initializes it.
#[repr(C)]
#[derive(Debug)]
pub struct ernn_state_t {
    content: [u64; 8],
}

/// A model of any linked dtype.
#[derive(Debug, Clone, Copy)]
pub enum Opened {
    #[cfg(feature = "f32")]
    F32(Model<'static, F32, FEATURES>),
    #[cfg(feature = "f16")]
    F16(Model<'static, F16, FEATURES>),
    #[cfg(feature = "i8")]
    I8(Model<'static, I8, FEATURES>),
}

/// A state of any linked dtype.
#[derive(Debug)]
pub enum AnyState {
    #[cfg(feature = "f32")]
    F32(State<'static, F32>),
    #[cfg(feature = "f16")]
    F16(State<'static, F16>),
    #[cfg(feature = "i8")]
    I8(State<'static, I8>),
}

/// A state with the addresses of its RAM, which other buffers must not overlap.
#[derive(Debug)]
pub struct Held {
    pub ram: Range<usize>,
    pub state: AnyState,
}

/// A dtype that is linked.
pub trait Linked: QuantIo {
    /// Wraps a state of this dtype.
    fn wrap(state: State<'static, Self>) -> AnyState;
    /// Returns the state if it is of this dtype.
    fn unwrap(any: &mut AnyState) -> Option<&mut State<'static, Self>>;
}

macro_rules! linked {
    ($($feature:literal $number:ident),*) => {$(
        #[cfg(feature = $feature)]
        impl Linked for $number {
            fn wrap(state: State<'static, Self>) -> AnyState {
                AnyState::$number(state)
            }
            fn unwrap(any: &mut AnyState) -> Option<&mut State<'static, Self>> {
                #[allow(unreachable_patterns, reason = "a build of one dtype has one variant")]
                match any {
                    AnyState::$number(state) => Some(state),
                    _ => None,
                }
            }
        }
    )*};
}
linked!("f32" F32, "f16" F16, "i8" I8);

/// Evaluates an expression of a model with its dtype as a type.
macro_rules! with_model {
    ($opened:expr, $model:ident => $value:expr) => {
        match $opened {
            #[cfg(feature = "f32")]
            Opened::F32($model) => $value,
            #[cfg(feature = "f16")]
            Opened::F16($model) => $value,
            #[cfg(feature = "i8")]
            Opened::I8($model) => $value,
        }
    };
}
pub(crate) use with_model;

/// The content of a handle. The mark is the first word, so that it can be read before the rest is trusted.
#[repr(C)]
struct Slot<T> {
    mark: u32,
    content: T,
}

/// A handle of the header.
pub trait Handle: Sized {
    /// The value in it.
    type Content;
    /// The mark of an initialized handle.
    const MARK: u32;
    /// Proof that the content has room in the handle.
    const FITS: () = assert!(
        size_of::<Slot<Self::Content>>() <= size_of::<Self>()
            && align_of::<Slot<Self::Content>>() <= align_of::<Self>()
    );
}

impl Handle for ernn_model_t {
    type Content = Opened;
    const MARK: u32 = u32::from_le_bytes(*b"ernM");
}

impl Handle for ernn_state_t {
    type Content = Held;
    const MARK: u32 = u32::from_le_bytes(*b"ernS");
}

/// Returns the addresses of a handle that can be initialized.
pub fn range<H: Handle>(handle: *const H) -> Result<Range<usize>, ernn_status_t> {
    Ok(Buffer::new(handle, 1)?.range())
}

/// Marks a handle as not initialized.
///
/// # Safety
/// As for [`get`].
pub unsafe fn clear<H: Handle>(handle: *mut H) -> Result<(), ernn_status_t> {
    const { H::FITS };
    range(handle)?;
    // SAFETY: the pointer is not null and aligned, and the caller guarantees the memory.
    unsafe { handle.cast::<u32>().write(0) };
    Ok(())
}

/// Initializes a handle.
///
/// # Safety
/// As for [`get`].
pub unsafe fn put<H: Handle>(handle: *mut H, content: H::Content) -> Result<(), ernn_status_t> {
    const { H::FITS };
    range(handle)?;
    // SAFETY: the pointer is not null and aligned, the caller guarantees the memory, and the slot fits.
    unsafe { handle.cast::<Slot<H::Content>>().write(Slot { mark: H::MARK, content }) };
    Ok(())
}

/// Returns the content of an initialized handle.
///
/// # Safety
/// The pointer is null or points to a handle, which nothing writes during `'a`.
pub unsafe fn get<'a, H: Handle>(handle: *const H) -> Result<&'a H::Content, ernn_status_t> {
    check_mark(handle)?;
    // SAFETY: the mark shows that `put` has written the slot.
    Ok(unsafe { &(*handle.cast::<Slot<H::Content>>()).content })
}

/// Returns the content of an initialized handle to change.
///
/// # Safety
/// The pointer is null or points to a handle, which nothing else uses during `'a`.
pub unsafe fn get_mut<'a, H: Handle>(handle: *mut H) -> Result<&'a mut H::Content, ernn_status_t> {
    check_mark(handle)?;
    // SAFETY: the mark shows that `put` has written the slot.
    Ok(unsafe { &mut (*handle.cast::<Slot<H::Content>>()).content })
}

fn check_mark<H: Handle>(handle: *const H) -> Result<(), ernn_status_t> {
    range(handle)?;
    // SAFETY: the pointer is not null and aligned, and the callers of `get` guarantee the memory.
    let mark = unsafe { handle.cast::<u32>().read() };
    if mark == H::MARK { Ok(()) } else { Err(ERNN_ERROR_HANDLE) }
}
