//! One line. Source: "How to read the Bitbucket Data Center Log Formats": thirteen fields between bars.

use std::fmt::Write as _;

use time::OffsetDateTime;

use super::record::Head;

/// Whether a line is about a request's beginning or its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Moment {
    /// It has just come in; nothing else is known.
    In,
    /// It has ended.
    Out(Ended),
}

/// What is known of a request that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    /// The HTTP status, or the exit status of a command over SSH; none if the client left before.
    pub(super) status: Option<u32>,
    pub(super) read: u64,
    pub(super) written: u64,
    pub(super) labels: Vec<String>,
    pub(super) milliseconds: u128,
    pub(super) user: Option<String>,
    pub(super) session: Option<String>,
}

/// Returns the line, with its end.
pub(super) fn line(head: &Head, moment: &Moment, now: OffsetDateTime) -> String {
    let mut line = String::with_capacity(320);
    let (letter, user) = match moment {
        // Source: "The first HTTP i line is always -"; over SSH it is known from the start.
        Moment::In => ('i', head.user.as_deref()),
        Moment::Out(ended) => ('o', ended.user.as_deref().or(head.user.as_deref())),
    };
    let id = &head.id;
    let (address, protocol) = (clean(&head.address), head.protocol);
    let _ = write!(line, "{address} | {protocol} | {letter}{id} | {} | ", dash(user));
    let _ = write!(
        line,
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02},{:03} | {} | {} | ",
        now.year(),
        u8::from(now.month()),
        now.day(),
        now.hour(),
        now.minute(),
        now.second(),
        now.millisecond(),
        clean(&head.action),
        clean(&head.details),
    );
    match moment {
        Moment::In => {
            let _ = writeln!(line, "- | - | - | - | - | {} |", dash(head.session.as_deref()));
        }
        Moment::Out(ended) => {
            let status = ended.status.map(|status| status.to_string());
            let labels = (!ended.labels.is_empty()).then(|| ended.labels.join(", "));
            let session = ended.session.as_deref().or(head.session.as_deref());
            let _ = writeln!(
                line,
                "{} | {} | {} | {} | {} | {} |",
                dash(status.as_deref()),
                ended.read,
                ended.written,
                dash(labels.as_deref()),
                ended.milliseconds,
                dash(session),
            );
        }
    }
    line
}

fn dash(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty()).map_or_else(|| "-".to_owned(), clean)
}

/// Leaves out what would look like a field or a line of its own.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || c == '|' { '_' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    /// Cuts a line into its fields; short ones of SSH and of old versions are told apart by their number.
    fn fields(line: &str) -> Vec<&str> {
        let line = line.trim_end().strip_suffix('|').unwrap_or(line);
        line.split(" | ").map(str::trim).collect()
    }

    /// The examples that are documented, as they are.
    const HTTP_IN: &str = r#"172.24.12.153 | https | i@PZQFBCx921x19253x0 | - | 2015-09-09 15:21:08,431 | "GET /status HTTP/1.1" | "" "" | - | - | - | - | - | 1irez8i |"#;
    const HTTP_OUT: &str = r#"172.24.12.153 | https | o@PZQFBCx921x19253x0 | - | 2015-09-09 15:21:08,437 | "GET /status HTTP/1.1" | "" "" | 200 | 0 | 19 | - | 6 | 1irez8i |"#;
    const SSH_OUT: &str = r#"172.24.36.105 | ssh | o*N65BDNx354x326907x0 | bamboo_user | 2015-03-02 05:54:25,802 | SSH - git-upload-pack '/bar/support-tools-base.git' | "SSH-2.0-OpenSSH_6.6.1p1 Ubuntu-2ubuntu2.3" | 0 | 101 | 4398 | cache:miss, refs, ssh:id:2754, ssh:label:'https://ecosystem-bamboo.internal.atlassian.com' | 69 | y3r3kf |"#;

    fn head(id: &str, action: &str, details: &str) -> Head {
        Head {
            address: "172.24.12.153".to_owned(),
            protocol: "https",
            id: id.to_owned(),
            action: action.to_owned(),
            details: details.to_owned(),
            user: None,
            session: Some("1irez8i".to_owned()),
            ssh_user: None,
        }
    }

    #[test]
    fn the_documented_lines_are_written_to_the_letter() {
        let status = head("@PZQFBCx921x19253x0", "\"GET /status HTTP/1.1\"", "\"\" \"\"");
        let written = line(&status, &Moment::In, datetime!(2015-09-09 15:21:08.431 UTC));
        assert_eq!(written, format!("{HTTP_IN}\n"));
        let ended = Ended {
            status: Some(200),
            read: 0,
            written: 19,
            labels: Vec::new(),
            milliseconds: 6,
            user: None,
            session: None,
        };
        let written = line(&status, &Moment::Out(ended.clone()), datetime!(2015-09-09 15:21:08.437 UTC));
        assert_eq!(written, format!("{HTTP_OUT}\n"));
        let command = Head {
            address: "172.24.36.105".to_owned(),
            protocol: "ssh",
            user: Some("bamboo_user".to_owned()),
            session: Some("y3r3kf".to_owned()),
            ..head(
                "*N65BDNx354x326907x0",
                "SSH - git-upload-pack '/bar/support-tools-base.git'",
                "\"SSH-2.0-OpenSSH_6.6.1p1 Ubuntu-2ubuntu2.3\"",
            )
        };
        let labels = [
            "cache:miss",
            "refs",
            "ssh:id:2754",
            "ssh:label:'https://ecosystem-bamboo.internal.atlassian.com'",
        ];
        let ended = Ended {
            status: Some(0),
            read: 101,
            written: 4398,
            labels: labels.map(str::to_owned).to_vec(),
            milliseconds: 69,
            ..ended
        };
        let written = line(&command, &Moment::Out(ended), datetime!(2015-03-02 05:54:25.802 UTC));
        assert_eq!(written, format!("{SSH_OUT}\n"));
    }

    #[test]
    fn a_line_has_thirteen_fields_whatever_a_client_sends() {
        for documented in [HTTP_IN, HTTP_OUT, SSH_OUT] {
            assert_eq!(fields(documented).len(), 13);
        }
        let wild = head("@1x1x1x0", "\"GET /a | b\n HTTP/1.1\"", "\"x\" \"a | \u{7} b\"");
        let written = line(&wild, &Moment::In, datetime!(2026-01-02 03:04:05 UTC));
        assert_eq!(written.lines().count(), 1);
        let fields = fields(&written);
        assert_eq!((fields.len(), fields[4], fields[12]), (13, "2026-01-02 03:04:05,000", "1irez8i"));
    }
}
