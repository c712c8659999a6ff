//! The whole way from text to findings and plan.

mod arguments;
mod bad_files;
mod faults;
mod large;
mod library;
mod meaning;
mod one_stage;
mod open_load;
mod plans;
mod properties;
mod script_needs;
mod search;
mod shown;
mod thresholds;
