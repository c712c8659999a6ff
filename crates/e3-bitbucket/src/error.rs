//! What can go wrong between E3 and a Bitbucket.

use std::fmt;

use http::Method;

/// Says which request failed, and how.
///
/// Paths are shown without their query: that of user creation holds a password.
#[derive(Debug, thiserror::Error)]
pub enum BitbucketError {
    /// No answer came.
    #[error("{method} {path} got no answer")]
    Unanswered {
        /// The request's method.
        method: Method,
        /// The request's path below the context path, without query.
        path: String,
        /// Why.
        source: e3_http::HttpError,
    },
    /// No whole answer came in time.
    #[error("{method} {path} was not answered within {seconds} s")]
    Timeout {
        /// The request's method.
        method: Method,
        /// The request's path below the context path, without query.
        path: String,
        /// The bound.
        seconds: u64,
    },
    /// The server answered with an error status.
    #[error("{method} {path} was answered {status}{}", Listed(.messages))]
    Refused {
        /// The request's method.
        method: Method,
        /// The request's path below the context path, without query.
        path: String,
        /// The HTTP status.
        status: u16,
        /// What the server said; empty when its answer was no Bitbucket error document.
        messages: Vec<ServerMessage>,
    },
    /// The answer is not what Bitbucket documents.
    #[error("{method} {path} was answered with something else than Bitbucket's JSON")]
    Unreadable {
        /// The request's method.
        method: Method,
        /// The request's path below the context path, without query.
        path: String,
        /// Where and why.
        source: serde_json::Error,
    },
    /// A page names a next page that is not further on.
    #[error("GET {path} says that after page start {start} comes page start {next:?}")]
    Pages {
        /// The request's path below the context path, without query.
        path: String,
        /// Where the page starts.
        start: u64,
        /// Where it says the next one starts; none although it is not the last.
        next: Option<u64>,
    },
    /// A request's parameters cannot be written as a URL.
    #[error("POST {path} cannot carry its parameters")]
    Parameters {
        /// The request's path below the context path, without query.
        path: String,
        /// Why.
        source: serde_urlencoded::ser::Error,
    },
}

/// One entry of Bitbucket's error document.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerMessage {
    /// The field that is wrong, if the server names one.
    #[serde(default)]
    pub context: Option<String>,
    /// The sentence for people.
    #[serde(default)]
    pub message: String,
    /// The class of the server's exception, if it names one.
    #[serde(default, rename = "exceptionName")]
    pub exception: Option<String>,
}

impl BitbucketError {
    /// Returns the HTTP status of the server's answer, if there was one and it was the error.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Returns whether the server refused because what was to be created is there already.
    ///
    /// Bitbucket uses status 409 for other conflicts too, so the exception or the sentence must say so.
    pub fn says_it_exists(&self) -> bool {
        match self {
            Self::Refused { status: 409, messages, .. } => messages.iter().any(ServerMessage::says_it_exists),
            _ => false,
        }
    }
}

impl ServerMessage {
    /// Returns the entries of an error document; none for any other body, such as a proxy's page.
    pub(crate) fn all(body: &[u8]) -> Vec<Self> {
        #[derive(serde::Deserialize)]
        struct Errors {
            errors: Vec<ServerMessage>,
        }
        serde_json::from_slice::<Errors>(body).map(|document| document.errors).unwrap_or_default()
    }

    fn says_it_exists(&self) -> bool {
        let exception = self.exception.as_deref().unwrap_or_default();
        let sentence = self.message.to_ascii_lowercase();
        exception.contains("Duplicate")
            || exception.contains("AlreadyExists")
            || ["already in use", "already exists", "already taken"]
                .iter()
                .any(|words| sentence.contains(words))
    }
}

impl fmt::Display for ServerMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.exception.as_deref().and_then(|class| class.rsplit('.').next()) {
            Some(class) => write!(f, " ({class})"),
            None => Ok(()),
        }
    }
}

struct Listed<'a>(&'a [ServerMessage]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, message) in self.0.iter().enumerate() {
            write!(f, "{} {message}", if position == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, body: &str) -> BitbucketError {
        let messages = ServerMessage::all(body.as_bytes());
        BitbucketError::Refused { method: Method::POST, path: "/x".to_owned(), status, messages }
    }

    #[test]
    fn shows_what_the_server_said() {
        let error = refused(
            401,
            r#"{"errors":[{"context":null,"message":"No.","exceptionName":"com.atlassian.AuthorisationException"},
                {"context":"key","message":"Bad key.","exceptionName":null}]}"#,
        );
        assert_eq!(error.to_string(), "POST /x was answered 401: No. (AuthorisationException); Bad key.");
        assert_eq!(refused(502, "<html>Bad gateway</html>").to_string(), "POST /x was answered 502");
    }

    #[test]
    fn only_a_conflict_that_says_so_means_existing() {
        let cases = [
            (409, r#"{"errors":[{"message":"This project key is already in use."}]}"#, true),
            (409, r#"{"errors":[{"message":"x","exceptionName":"a.b.DuplicateKeyException"}]}"#, true),
            (409, r#"{"errors":[{"message":"The licence limit is reached."}]}"#, false),
            (409, "<html>already exists</html>", false),
            (400, r#"{"errors":[{"message":"This project key is already in use."}]}"#, false),
        ];
        for (status, body, exists) in cases {
            assert_eq!(refused(status, body).says_it_exists(), exists, "{status} {body}");
        }
    }
}
