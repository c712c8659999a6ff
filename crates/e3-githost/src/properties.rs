//! The lines of `bitbucket.properties`: those of the home, and those that go before them.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use e3_model::{ServerProperties, property_lines};

use crate::GithostError;

/// Reads what the file, if there is one, and the lines that go before it mean together.
pub(crate) fn read(path: &Path, first: &BTreeMap<String, String>) -> Result<ServerProperties, GithostError> {
    let mut lines = match std::fs::read_to_string(path) {
        Ok(text) => property_lines(&text)
            .map_err(|error| GithostError::Properties { why: format!("{}: {error}", path.display()) })?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
        Err(source) => return Err(GithostError::Home { doing: "read", path: path.to_owned(), source }),
    };
    lines.extend(first.iter().map(|(name, value)| (name.clone(), value.clone())));
    ServerProperties::read(&lines).map_err(|faults| {
        let texts: Vec<String> = faults.iter().map(|fault| format!("{}: {fault}", fault.name)).collect();
        GithostError::Properties { why: texts.join("; ") }
    })
}

#[cfg(test)]
mod tests {
    use e3_model::TicketCount;

    use super::*;

    #[test]
    fn lines_of_the_home_hold_unless_others_go_before_them() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("bitbucket.properties");
        let first = BTreeMap::from([("throttle.resource.scm-command".to_owned(), "3".to_owned())]);
        let of = |first: &BTreeMap<String, String>| {
            let properties = read(&path, first).unwrap();
            (properties.command.limit, properties.refs.limit)
        };
        assert_eq!(of(&BTreeMap::new()), (None, None));
        std::fs::write(&path, "throttle.resource.scm-command=1\n# more\nthrottle.resource.scm-refs=2\n")
            .unwrap();
        let count = |number| Some(TicketCount::of(number));
        assert_eq!(of(&BTreeMap::new()), (count(1.0), count(2.0)));
        assert_eq!(of(&first), (count(3.0), count(2.0)));
        std::fs::write(&path, "a=1\nfeature.rate.limiting=2\n").unwrap();
        let why = read(&path, &first).unwrap_err().to_string();
        assert!(
            why.contains("a: githost does not know") && why.contains("feature.rate.limiting: \"2\""),
            "{why}"
        );
        std::fs::write(&path, "a\n").unwrap();
        assert!(
            read(&path, &first)
                .unwrap_err()
                .to_string()
                .contains("bitbucket.properties: \"a\" is not a line")
        );
    }
}
