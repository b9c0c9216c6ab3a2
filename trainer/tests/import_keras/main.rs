//! Models as Keras saves them, imported or rejected.
//!
//! `make_golden.py` writes the files, `golden` reads them, `cases` compares. `make_initial_states.py` writes
//! those of `initial_states`.

mod cases;
mod edited;
mod golden;
mod hostile;
mod initial_states;
mod normalized;
mod rejected;
