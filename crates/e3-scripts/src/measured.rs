//! What an answer tells of the op that it ends.

use e3_http::Response;
use e3_workload::Measured;

/// Returns what an HTTP answer that was read whole tells of its op.
pub(crate) fn of_response(response: &Response) -> Measured {
    Measured {
        first_byte: Some(response.first_byte),
        bytes_in: Some(response.bytes_in),
        bytes_out: Some(response.bytes_out),
        ..Measured::default()
    }
}
