//! Model files in a program: [`include_model!`](crate::include_model) for bytes, [`model!`](crate::model) for
//! a type.

use crate::format::dtype;
use crate::number::{F16, F32, I8};
use crate::quant_io::QuantIo;

/// Includes a model file as aligned `&'static [u8]`. The path is as for [`include_bytes!`].
///
/// The build fails, with the name of the file, if it is not a model of this version, is cut short, damaged
/// (CRC-32; of files up to 256 KiB) or requires a layer that this version does not have.
///
/// ```
/// use embedded_rnn::{ALIGN, include_model, ram_needed};
///
/// static MODEL: &[u8] = include_model!("../tests/data/tiny.ernn");
/// const _: () = assert!(ram_needed(MODEL) <= 1024, "the model exceeds the RAM budget");
///
/// assert_eq!(MODEL.as_ptr() as usize % ALIGN, 0);
/// ```
#[macro_export]
macro_rules! include_model {
    ($path:expr) => {{
        const FILE: &$crate::Aligned<[u8]> = &$crate::Aligned(*include_bytes!($path));
        const _: () = {
            use $crate::private::Defect;
            match $crate::private::defect(&FILE.0) {
                None => (),
                Some(Defect::NotAModel) => {
                    panic!("{}", concat!($path, " is not a model file: it does not begin with ERNN"))
                }
                Some(Defect::Version) => {
                    panic!(
                        "{}",
                        concat!($path, " is a model file of a version that this build does not read")
                    )
                }
                Some(Defect::DType) => panic!("{}", concat!($path, ": unknown dtype")),
                Some(Defect::Truncated) => panic!("{}", concat!($path, ": the file is cut short")),
                Some(Defect::Features) => {
                    panic!("{}", concat!($path, ": a layer requires a later version of embedded-rnn"))
                }
                Some(Defect::Sections) => {
                    panic!("{}", concat!($path, ": a section lies outside the file or has the wrong length"))
                }
                Some(Defect::Checksum) => {
                    panic!("{}", concat!($path, ": the file is damaged, its CRC-32 differs"))
                }
            }
        };
        &FILE.0
    }};
}

/// Makes a module of a model file: `model!(pub digits = "digits.i8.ernn");`.
///
/// Everything about the model comes from the file while the program is built, and only the code of its layers
/// is linked. The path is any expression that [`include_bytes!`] accepts; the file is checked as by
/// [`include_model!`](crate::include_model). The module has
///
/// | item | content |
/// |---|---|
/// | `BYTES` | the file, aligned, a static |
/// | `Number` | the dtype: [`F32`], [`F16`] or [`I8`] |
/// | `INPUT`, `OUTPUT` | features of a time step, values of an output |
/// | `Input`, `Output` | arrays of these lengths, of the dtype's values |
/// | `RAM`, `SAVED` | bytes of a state, and at most of a [saved](crate::Session::save) one |
/// | `FEATURES` | the code that the model requires, the last parameter of `Model` |
/// | `LABELS` | the names of the classes, empty if the file has none |
/// | `Ram` | memory for a state; `const`, so that it can be a static |
/// | `Model`, `State` | [`Model`](crate::Model) and [`State`](crate::State) of the dtype |
/// | `Session` | a [`Session`](crate::Session): the model with a state |
///
/// ```
/// embedded_rnn::model!(pub tiny = "../tests/data/tiny.ernn");
/// const _: () = assert!(tiny::RAM <= 1024, "the model exceeds the RAM budget");
///
/// let mut ram = tiny::Ram::new();
/// let mut session = tiny::Session::new(&mut ram)?;
/// session.self_test()?; // this machine computes what the PC computed
/// let y: &[f32; 3] = session.step(&[0.5, -0.25]);
/// assert_eq!(y.len(), tiny::OUTPUT);
/// # Ok::<(), embedded_rnn::Error>(())
/// ```
///
/// A time step of the wrong length does not compile:
///
/// ```compile_fail,E0308
/// embedded_rnn::model!(pub tiny = "../tests/data/tiny.ernn");
///
/// let mut ram = tiny::Ram::new();
/// let mut session = tiny::Session::new(&mut ram)?;
/// session.step(&[0.5, -0.25, 1.0]);
/// # Ok::<(), embedded_rnn::Error>(())
/// ```
///
/// Several states of one model share its weights:
///
/// ```
/// embedded_rnn::model!(tiny = "../tests/data/tiny.i8.ernn");
///
/// let model = tiny::Model::new(tiny::BYTES)?;
/// let (mut left, mut right) = (tiny::Ram::new(), tiny::Ram::new());
/// let mut left: tiny::State = model.state(&mut left)?;
/// let mut right: tiny::State = model.state(&mut right)?;
/// model.step(&mut left, &[1000, -1000])?;
/// model.step(&mut right, &[-1000, 1000])?;
/// # Ok::<(), embedded_rnn::Error>(())
/// ```
#[macro_export]
macro_rules! model {
    ($(#[$attribute:meta])* $visibility:vis $name:ident = $path:expr $(;)?) => {
        $(#[$attribute])*
        #[doc = concat!("The model of the file `", $path, "`.")]
        #[allow(dead_code, reason = "a program uses some of it")]
        $visibility mod $name {
            /// The bytes of the file.
            pub static BYTES: &[u8] = $crate::include_model!($path);
            type Code = $crate::private::Code<{ $crate::private::dtype_code(BYTES) }>;
            /// The dtype.
            pub type Number = <Code as $crate::private::Select>::Number;
            /// The number of features of a time step.
            pub const INPUT: usize = $crate::input_size(BYTES);
            /// The number of values of an output.
            pub const OUTPUT: usize = $crate::output_size(BYTES);
            /// Bytes of RAM of a state.
            pub const RAM: usize = $crate::ram_needed(BYTES);
            /// The most bytes of a saved state.
            pub const SAVED: usize = $crate::saved_len(BYTES);
            /// The code that the model requires.
            pub const FEATURES: u32 = $crate::features(BYTES);
            /// The names of the classes.
            pub const LABELS: [&str; $crate::private::label_count(BYTES)] = $crate::private::labels(BYTES);
            /// A time step.
            pub type Input = [<Number as $crate::Number>::In; INPUT];
            /// An output.
            pub type Output = [<Number as $crate::Number>::Out; OUTPUT];
            /// Memory for a state.
            pub type Ram = $crate::Ram<RAM>;
            /// The model without a state.
            pub type Model = $crate::Model<'static, Number, FEATURES>;
            /// The state of a sequence.
            pub type State<'r> = $crate::State<'r, Number>;
            /// The model with a state.
            pub type Session<'r> = $crate::Session<'r, File, FEATURES, INPUT, OUTPUT>;

            /// The file as a type.
            #[derive(Debug, Clone, Copy)]
            pub struct File;

            impl $crate::ModelFile for File {
                type Number = Number;
                const BYTES: &'static [u8] = BYTES;
            }
        }
    };
}

/// A model file as a type; [`model!`](crate::model) implements it.
pub trait ModelFile {
    /// The dtype of the file.
    type Number: QuantIo;
    /// The bytes of the file.
    const BYTES: &'static [u8];
}

/// The dtype of this code as a type: see [`Select`].
#[derive(Debug)]
pub struct Code<const CODE: u8>;

/// The choice of a dtype by its code in the file.
pub trait Select {
    /// The dtype.
    type Number: QuantIo;
}

impl Select for Code<0> {
    type Number = F32;
}

impl Select for Code<1> {
    type Number = F16;
}

impl Select for Code<2> {
    type Number = I8;
}

/// Returns the code of a file's dtype; that of f32 for files that the build rejects anyway.
pub const fn dtype_code(bytes: &[u8]) -> u8 {
    match dtype(bytes) {
        Some(dtype) => dtype as u8,
        None => 0,
    }
}
