//! A row of the table: one request, and the evidence for what its answer looks like.

/// One request and the evidence for its answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operation {
    /// What about the request is special.
    pub(super) says: &'static str,
    pub(super) method: &'static str,
    /// The path below `/rest` as the description has it, with the names of [`super::world`] in braces; a path that
    /// begins with `//` is one of the server itself.
    pub(super) path: &'static str,
    /// What other values than the world's the names in the path have.
    pub(super) values: &'static [(&'static str, &'static str)],
    pub(super) query: &'static str,
    pub(super) who: Who,
    pub(super) accept: &'static str,
    /// JSON; empty for no body.
    pub(super) body: &'static str,
    pub(super) status: u16,
    /// The newest first: it says what must be there, all of them say what may be.
    pub(super) recorded: &'static [Recording],
    pub(super) described: Described,
    /// Differences that are out of scope, by the end of their pointers, and why; one that is gone is a difference.
    pub(super) known: &'static [(&'static str, &'static str)],
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Admin,
    Member,
    Nobody,
    /// A member with a wrong password.
    Impostor,
}

/// Where an answer is recorded; the names of files begin with the end of their folder's name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Recording {
    /// A file below the fixtures that holds a body, or has it at a pointer, whose `*` stands for every item.
    Body(&'static str, &'static str),
    /// A page whose rows are what a file has at a pointer: rows that are recorded elsewhere only.
    Page(&'static str, &'static str),
    /// An exchange with status and headers: the file, and the number of the exchange.
    Exchange(&'static str, usize),
    /// The error that live servers gave with the row's status: the last word of its exception's name, or none.
    Error(Option<&'static str>),
    /// An answer that is stated in public but not recorded.
    Stated(&'static str),
}

/// What the interface's description says of the answer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Described {
    /// What it says there.
    There,
    /// A page of this schema, although it says otherwise.
    PageOf(&'static str),
    /// Something else than real servers do, for this reason, so that it is not held against the answer.
    Wrongly(&'static str),
    /// Nothing.
    Not,
}

pub(super) const fn get(path: &'static str) -> Operation {
    Operation {
        says: "",
        method: "GET",
        path,
        values: &[],
        query: "",
        who: Who::Admin,
        accept: "application/json",
        body: "",
        status: 200,
        recorded: &[],
        described: Described::There,
        known: &[],
    }
}

pub(super) const fn post(path: &'static str, body: &'static str) -> Operation {
    Operation { method: "POST", body, status: 201, ..get(path) }
}

pub(super) const fn delete(path: &'static str) -> Operation {
    Operation { method: "DELETE", status: 204, recorded: &[Recording::Error(None)], ..get(path) }
}

impl Operation {
    /// Returns the method, the path and what is special, as one line.
    pub(super) fn title(&self) -> String {
        let path = match self.path.strip_prefix("//") {
            Some(own) => format!("/{own}"),
            None => format!("/rest{}", self.path),
        };
        let says = if self.says.is_empty() { String::new() } else { format!(": {}", self.says) };
        format!("{} {path}{says}", self.method)
    }

    /// Returns the path and query to ask for, with values for the names in braces.
    ///
    /// # Errors
    /// The name that has no value.
    pub(super) fn target(&self, world: &[(&str, &str)]) -> Result<String, String> {
        let mut path = String::new();
        let mut rest = self.path;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or_else(|| rest.to_owned())?;
            let value = self.values.iter().chain(world).find(|(known, _)| *known == name);
            let (_, value) = value.ok_or_else(|| name.to_owned())?;
            path.push_str(before);
            path.push_str(value);
            rest = after;
        }
        path.push_str(rest);
        let path = path.strip_prefix("//").map_or_else(|| format!("/rest{path}"), |own| format!("/{own}"));
        Ok(if self.query.is_empty() { path } else { format!("{path}?{}", self.query) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_paths_get_values() {
        let world = [("projectKey", "ONE"), ("slug", "two")];
        let operation = get("/api/latest/projects/{projectKey}/repos/{slug}");
        assert_eq!(operation.target(&world).unwrap(), "/rest/api/latest/projects/ONE/repos/two");
        let other = Operation { values: &[("projectKey", "X")], query: "limit=1", ..operation };
        assert_eq!(other.target(&world).unwrap(), "/rest/api/latest/projects/X/repos/two?limit=1");
        assert_eq!(get("//status").target(&world).unwrap(), "/status");
        assert_eq!(get("/a/{b}").target(&world), Err("b".to_owned()));
        assert_eq!(Operation { says: "a page", ..get("//status") }.title(), "GET /status: a page");
    }
}
