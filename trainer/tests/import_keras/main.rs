//! Models as Keras saves them, imported or rejected.
//!
//! `make_golden.py` writes the files, `golden` reads them, `cases` compares.

mod cases;
mod edited;
mod golden;
mod hostile;
mod normalized;
mod rejected;
