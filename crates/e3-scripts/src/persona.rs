//! Whole days of people and machines: bodies of other scripts in a row, and what polls.

pub(crate) mod build_agent;
pub(crate) mod ci_fleet;
pub(crate) mod code_reviewer;
pub(crate) mod developer_using_pull_requests;
mod rest;
mod spans;
mod ticks;
