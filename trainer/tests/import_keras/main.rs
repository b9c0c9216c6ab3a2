//! Models as Keras saves them, read or refused.
//!
//! `make_golden.py` wrote them, `golden` reads what it wrote, `cases` compares.

mod cases;
mod edited;
mod golden;
mod hostile;
mod refused;
