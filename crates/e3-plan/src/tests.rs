//! The whole way from text to findings and plan.

mod bad_files;
mod large;
mod library;
mod meaning;
mod plans;
mod shown;
