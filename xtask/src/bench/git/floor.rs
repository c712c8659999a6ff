//! The floor of a clone: the same requests and the same bytes by a bare loop of reads, and the fastest permitted SHA-1.
//!
//! That is the crate `sha1`, which uses the processor's own instructions; ring's is written without them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use anyhow::{Context as _, Result, bail};
use e3_git_wire::Checksum;

use super::cpu;
use crate::bench::canned::Exchange;

/// Returns what a clone takes at least, in milliseconds of this thread: connecting, asking, reading, hashing what is as
/// large as a pack.
///
/// # Errors
/// When the server does not answer as before.
pub(super) fn each(port: u16, exchanges: &[Exchange], clones: u32, is_verified: bool) -> Result<f64> {
    let mut buffer = vec![0; BUFFER];
    once(port, exchanges, &mut buffer, is_verified)?;
    let before = cpu::of_this_thread()?;
    for _ in 0..clones {
        once(port, exchanges, &mut buffer, is_verified)?;
    }
    Ok((cpu::of_this_thread()? - before) / f64::from(clones))
}

fn once(port: u16, exchanges: &[Exchange], buffer: &mut [u8], is_verified: bool) -> Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).context("the canned server is gone")?;
    stream.set_nodelay(true).context("cannot set up a connection")?;
    for (number, Exchange { request, answer_bytes }) in exchanges.iter().enumerate() {
        stream.write_all(request).context("cannot ask")?;
        // The pack comes last.
        let mut digest = (is_verified && number + 1 == exchanges.len()).then(Checksum::new);
        let mut left = *answer_bytes;
        while left > 0 {
            let read = stream.read(buffer).context("cannot read")?;
            if read == 0 || read > left {
                bail!("the canned server answered otherwise than before");
            }
            left -= read;
            if let Some(digest) = &mut digest {
                digest.update(buffer.get(..read).unwrap_or_default());
            }
        }
        std::hint::black_box(digest.map(Checksum::finish));
    }
    Ok(())
}

/// As large as helps: more is slower, since it falls out of the processor's caches.
const BUFFER: usize = 128 << 10;
