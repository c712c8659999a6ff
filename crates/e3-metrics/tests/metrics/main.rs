//! The sources against a real machine, real processes and real servers.

#[cfg(test)]
mod githost;
#[cfg(test)]
mod proc;
#[cfg(test)]
mod prometheus;
