//! The functions of the header, called as from C.
#![allow(unsafe_code, clippy::undocumented_unsafe_blocks, reason = "arguments are those of a C program")]

mod calls;
mod misuse;
mod open;
