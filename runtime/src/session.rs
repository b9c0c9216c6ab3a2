//! A model and a state, their lengths checked by the compiler.

use crate::error::Error;
use crate::format::feature_bits::{DECODER, WHOLE_SEQUENCES};
use crate::format::{features, input_size, output_scale, output_size};
use crate::include::ModelFile;
use crate::layers::Kind;
use crate::model::Model;
use crate::number::Number;
use crate::quant_io::QuantIo;
use crate::state::State;

/// The feature of models that take ids.
const EMBEDDING: u32 = 1 << Kind::Embedding as u32;

type In<M> = <<M as ModelFile>::Number as Number>::In;
type Out<M> = <<M as ModelFile>::Number as Number>::Out;

/// A model of [`model!`](crate::model) with a state: the module's `Session`.
///
/// `F`, `INPUT` and `OUTPUT` are those of the file, and the module supplies them.
///
/// ```
/// embedded_rnn::model!(tiny = "../tests/data/tiny.i8.ernn");
///
/// let mut ram = tiny::Ram::new();
/// let mut session = tiny::Session::new(&mut ram)?;
/// let x: [i16; 2] = session.quantize(&[0.5, -0.25]);
/// let y: &[i32; 3] = session.step(&x);
/// let _probabilities: [f32; 3] = tiny::Session::dequantize(y);
///
/// // Before a deep sleep, and after it.
/// let mut buffer = [0; tiny::SAVED];
/// let saved = session.save(&mut buffer)?;
/// session.restore(saved)?;
/// # Ok::<(), embedded_rnn::Error>(())
/// ```
pub struct Session<'r, M: ModelFile, const F: u32, const INPUT: usize, const OUTPUT: usize> {
    model: Model<'static, M::Number, F>,
    state: State<'r, M::Number>,
}

impl<'r, M: ModelFile, const F: u32, const INPUT: usize, const OUTPUT: usize>
    Session<'r, M, F, INPUT, OUTPUT>
{
    /// Proof that the parameters are those of the file.
    const FITS: () = assert!(
        INPUT == input_size(M::BYTES) && OUTPUT == output_size(M::BYTES) && F == features(M::BYTES),
        "a session has the parameters of its file: use the one that `model!` makes"
    );
    /// Proof that nothing can be wrong with a time step of the right length.
    const STEPS: () = {
        assert!(F & WHOLE_SEQUENCES == 0, "the model processes whole sequences: `run` instead of `step`");
        assert!(F & DECODER == 0, "the model has a decoder: `run` and `generate` instead of `step`");
        Self::TAKES_REALS
    };
    /// Proof that inputs are features, of which every value is valid.
    const TAKES_REALS: () = assert!(F & EMBEDDING == 0, "the model takes ids: `step_id` instead of `step`");

    /// Checks the file in flash and starts a sequence in `ram`: a `Ram` of the module, or, for a model that
    /// processes whole sequences, a [`Ram`](crate::Ram) of [`ram_needed_for`](crate::ram_needed_for) the
    /// longest.
    ///
    /// # Errors
    /// [`Error::RamTooSmall`], [`Error::Misaligned`]; [`Error::Checksum`] and others if the flash is damaged.
    pub fn new(ram: &'r mut (impl AsMut<[u8]> + ?Sized)) -> Result<Self, Error> {
        const { Self::FITS };
        let model = Model::new(M::BYTES)?;
        let state = model.state(ram)?;
        Ok(Session { model, state })
    }

    /// Runs one time step and returns the output for the sequence so far.
    ///
    /// It cannot fail: the lengths are types, and [`new`](Self::new) has checked the file. It does not
    /// compile for a model that takes ids, processes whole sequences or has a decoder.
    #[inline]
    pub fn step(&mut self, x: &[In<M>; INPUT]) -> &[Out<M>; OUTPUT] {
        const { Self::STEPS };
        array::<M::Number, OUTPUT>(self.model.step_checked(&mut self.state, x))
    }

    /// Runs one time step over real values, whatever the dtype; as [`step`](Self::step), it cannot fail.
    #[inline]
    pub fn step_real(&mut self, x: &[f32; INPUT]) -> [f32; OUTPUT] {
        let x = self.quantize(x);
        Self::dequantize(self.step(&x))
    }

    /// Runs one time step of a model that takes ids, or of its decoder, and returns the output for the
    /// sequence so far.
    ///
    /// # Errors
    /// As [`Model::decoder_step`].
    #[inline]
    pub fn step_id(&mut self, id: u16) -> Result<&[Out<M>; OUTPUT], Error> {
        Ok(array::<M::Number, OUTPUT>(self.model.decoder_step(&mut self.state, id)?))
    }

    /// Runs many time steps: [`Model::run`] with lengths of time steps and outputs that fit. `out` holds an
    /// output for each time step or, if the model does not return sequences, one.
    ///
    /// # Errors
    /// As [`Model::run`].
    pub fn run(&mut self, xs: &[[In<M>; INPUT]], out: &mut [[Out<M>; OUTPUT]]) -> Result<(), Error> {
        self.model.run(&mut self.state, xs.as_flattened(), out.as_flattened_mut())
    }

    /// Generates: [`Model::generate`] with the state of the session.
    ///
    /// # Errors
    /// As [`Model::generate`].
    pub fn generate(
        &mut self,
        first: u16,
        choose: impl FnMut(&[Out<M>]) -> Option<u16>,
    ) -> Result<(), Error> {
        self.model.generate(&mut self.state, first, choose)
    }

    /// Generates the likeliest ids: [`Model::greedy`] with the state of the session.
    ///
    /// # Errors
    /// As [`Model::generate`].
    pub fn greedy<'o>(&mut self, first: u16, end: u16, out: &'o mut [u16]) -> Result<&'o [u16], Error> {
        self.model.greedy(&mut self.state, first, end, out)
    }

    /// Quantizes a time step of real values; copies those of a float model. It does not compile for a model
    /// that takes ids.
    pub fn quantize(&self, x: &[f32; INPUT]) -> [In<M>; INPUT] {
        const { Self::TAKES_REALS };
        let mut quantized = [bytemuck::Zeroable::zeroed(); INPUT];
        M::Number::quantize(&self.model, x, &mut quantized).unwrap_or_default();
        quantized
    }

    /// Turns an output into real values.
    pub fn dequantize(y: &[Out<M>; OUTPUT]) -> [f32; OUTPUT] {
        y.map(|y| M::Number::dequantize(y, output_scale(M::BYTES)))
    }

    /// Starts a new sequence.
    pub fn reset(&mut self) {
        self.state.reset();
    }

    /// Saves the state into `buffer`, of the module's `SAVED` bytes, and returns the part that it takes:
    /// [`State::save`].
    ///
    /// # Errors
    /// [`Error::BufferTooSmall`].
    pub fn save<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], Error> {
        self.state.save(&self.model, buffer)
    }

    /// Restores a saved state: [`State::restore`].
    ///
    /// # Errors
    /// As [`State::restore`].
    pub fn restore(&mut self, saved: &[u8]) -> Result<(), Error> {
        self.state.restore(&self.model, saved)
    }

    /// Replays the golden trace of the file and starts a new sequence: [`Model::self_test`].
    ///
    /// # Errors
    /// As [`Model::self_test`].
    pub fn self_test(&mut self) -> Result<(), Error> {
        self.model.self_test(&mut self.state)
    }

    /// Returns the model.
    pub fn model(&self) -> &Model<'static, M::Number, F> {
        &self.model
    }

    /// Returns the model and its state, for calls that a session does not have.
    pub fn parts_mut(&mut self) -> (&Model<'static, M::Number, F>, &mut State<'r, M::Number>) {
        (&self.model, &mut self.state)
    }
}

/// Returns the output as an array; its length is checked at load.
#[inline(always)]
fn array<N: QuantIo, const OUTPUT: usize>(y: &[N::Out]) -> &[N::Out; OUTPUT] {
    debug_assert_eq!(y.len(), OUTPUT);
    y.first_chunk().unwrap_or(N::zeros())
}
