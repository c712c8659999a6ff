//! The hosting server as its clients see it: real git, HTTP, several nodes on one home.

#[cfg(test)]
mod bounds;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod git;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod rest;
#[cfg(test)]
mod web;
