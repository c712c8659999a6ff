//! The hosting server as its clients see it: real git, HTTP, several nodes on one home.

#[cfg(test)]
mod access;
#[cfg(test)]
mod access_log;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod bounds;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod corruption;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod faults_git;
#[cfg(test)]
mod fetch_cache;
#[cfg(test)]
mod git;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod history;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod pull_requests;
#[cfg(test)]
mod python_client;
#[cfg(test)]
mod real_git;
#[cfg(test)]
mod refs;
#[cfg(test)]
mod rest;
#[cfg(test)]
mod ssh;
#[cfg(test)]
mod ssh_keys;
#[cfg(test)]
mod throttle;
#[cfg(test)]
mod web;
#[cfg(test)]
mod web_pull_requests;
