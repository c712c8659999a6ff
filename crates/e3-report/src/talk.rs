//! How clients talked to the system under test, in a sentence.

use e3_model::{Analysis, Connections, GitClient, HttpVersion, StageAnalysis, Transport, Verify};

/// Returns how the clients of all stages talked; none where stages differ in it, or where there is none.
pub(crate) fn talk(analysis: &Analysis) -> Option<String> {
    let stages = || analysis.threads.iter().flat_map(|thread| &thread.stages);
    let first = stages().next()?;
    let is_same = stages().all(|stage| stage.transport == first.transport);
    let has_git = stages().any(uses_git);
    is_same.then(|| words(&first.transport, analysis.git_client.filter(|_| has_git), has_git))
}

/// Returns how the clients of one stage talked.
pub(crate) fn talk_of(analysis: &Analysis, stage: &StageAnalysis) -> String {
    let has_git = uses_git(stage);
    words(&stage.transport, analysis.git_client.filter(|_| has_git), has_git)
}

/// Returns the name of a policy in tables.
pub(crate) fn connections_name(connections: Option<Connections>) -> &'static str {
    match connections {
        None => "",
        Some(Connections::KeepAlive) => "keepAlive",
        Some(Connections::PerOp) => "perOp",
    }
}

/// Returns a version's number.
pub(crate) fn http_name(http: HttpVersion) -> &'static str {
    match http {
        HttpVersion::Http1 => "1.1",
        HttpVersion::Http2 => "2",
    }
}

/// Returns which packs were verified, in tables.
pub(crate) fn verify_name(verify: Verify) -> &'static str {
    match verify {
        Verify::Always => "always",
        Verify::Sampled => "sampled",
    }
}

/// Returns the name of a Git client in tables.
pub(crate) fn git_client_name(client: Option<GitClient>) -> &'static str {
    match client {
        None => "",
        Some(GitClient::Native) => "native",
        Some(GitClient::Git) => "git",
    }
}

fn uses_git(stage: &StageAnalysis) -> bool {
    stage.jobs.iter().any(|job| job.script.starts_with("scm."))
}

fn words(transport: &Transport, client: Option<GitClient>, has_git: bool) -> String {
    let connections = match (transport.connections, has_git) {
        (Some(Connections::KeepAlive), _) => "connections kept from op to op",
        (Some(Connections::PerOp), _) => "a connection of its own for every op",
        (None, true) => "web and HTTP clients keep their connection, Git clients open one for every op",
        (None, false) => "connections kept from op to op",
    };
    let git = match client {
        // It checks what it gets by itself, whatever the transport says.
        Some(GitClient::Git) => " Git ops by the real `git`, which verifies every pack.".to_owned(),
        _ if !has_git => String::new(),
        native => {
            let by = if native.is_some() { "Git ops by E3’s own client; " } else { "" };
            let verified = match transport.verify {
                Verify::Always => "the checksum of every pack was verified".to_owned(),
                Verify::Sampled => format!(
                    "the checksum of one pack in {} was verified, of the others header, framing and end",
                    Verify::SAMPLE
                ),
            };
            format!(" {}.", capitalized(&format!("{by}{verified}")))
        }
    };
    format!(
        "HTTP/{}; {connections}; an op times out after {}.{git}",
        http_name(transport.http),
        transport.op_timeout
    )
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use e3_model::Span;

    use super::*;

    #[test]
    fn what_was_agreed_is_said_and_nothing_that_was_not() {
        let transport = |connections, http, verify| Transport {
            op_timeout: Span::from_secs(30),
            connections,
            http,
            verify,
        };
        for (transport, client, has_git, said) in [
            (
                transport(None, HttpVersion::Http1, Verify::Always),
                Some(GitClient::Native),
                true,
                "HTTP/1.1; web and HTTP clients keep their connection, Git clients open one for every op; an op times out after 30 s. Git ops by E3’s own client; the checksum of every pack was verified.",
            ),
            (
                transport(Some(Connections::KeepAlive), HttpVersion::Http2, Verify::Sampled),
                None,
                true,
                "HTTP/2; connections kept from op to op; an op times out after 30 s. The checksum of one pack in 16 was verified, of the others header, framing and end.",
            ),
            (
                transport(Some(Connections::PerOp), HttpVersion::Http1, Verify::Sampled),
                Some(GitClient::Git),
                true,
                "HTTP/1.1; a connection of its own for every op; an op times out after 30 s. Git ops by the real `git`, which verifies every pack.",
            ),
            (
                transport(None, HttpVersion::Http1, Verify::Sampled),
                None,
                false,
                "HTTP/1.1; connections kept from op to op; an op times out after 30 s.",
            ),
        ] {
            assert_eq!(words(&transport, client, has_git), said);
        }
    }
}
