//! The shapes of what is read and answered. An answer has no member that is not named here.

use serde_json::{Map, Value, json};

/// Returns all schemas by their names.
pub(super) fn all() -> Value {
    let mut schemas = Map::new();
    for part in
        [answers(), differences(), people(), builds(), pull_requests(), wishes(), super::faults::schemas()]
    {
        if let Value::Object(part) = part {
            schemas.extend(part);
        }
    }
    Value::Object(schemas)
}

/// Returns the schema of a page of these.
pub(super) fn page_of(item: &Value) -> Value {
    json!({
        "type": "object",
        "required": ["size", "limit", "isLastPage", "values", "start"],
        "properties": {
            "size": {"type": "integer"},
            "limit": {"type": "integer"},
            "isLastPage": {"type": "boolean"},
            "values": {"type": "array", "items": item},
            "start": {"type": "integer"},
            "nextPageStart": {"type": "integer", "nullable": true},
            "authorCount": {"type": "integer"},
            "totalCount": {"type": "integer"},
        },
        "additionalProperties": false,
    })
}

/// An object with these members and no others; a name that ends in `?` need not be there.
fn object(members: &[(&str, Value)]) -> Value {
    let properties: Map<String, Value> = members
        .iter()
        .map(|(name, schema)| (name.trim_end_matches('?').to_owned(), schema.clone()))
        .collect();
    let required: Vec<&str> =
        members.iter().map(|(name, _)| *name).filter(|name| !name.ends_with('?')).collect();
    let mut object = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if let Some(object) = object.as_object_mut()
        && !required.is_empty()
    {
        object.insert("required".to_owned(), json!(required));
    }
    object
}

fn text() -> Value {
    json!({"type": "string"})
}

fn number() -> Value {
    json!({"type": "integer"})
}

fn flag() -> Value {
    json!({"type": "boolean"})
}

fn nullable(mut schema: Value) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("nullable".to_owned(), Value::Bool(true));
    }
    schema
}

fn list(items: &Value) -> Value {
    json!({"type": "array", "items": items})
}

fn of(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn nothing_or(name: &str) -> Value {
    json!({"nullable": true, "allOf": [of(name)]})
}

fn words(words: &[&str]) -> Value {
    json!({"type": "string", "enum": words})
}

fn answers() -> Value {
    let link = object(&[("href", text()), ("name?", text())]);
    let error = json!({
        "type": "object",
        "required": ["context", "message", "exceptionName"],
        "properties": {"context": nullable(text()), "message": text(), "exceptionName": nullable(text())},
    });
    json!({
        "Anything": {},
        "Errors": object(&[("errors", list(&error))]),
        "Links": object(&[("self", list(&link)), ("clone?", list(&link))]),
        "ApplicationProperties": object(&[
            ("version", text()), ("buildNumber", text()), ("buildDate", text()), ("displayName", text()),
        ]),
        "Scheduled": object(&[("context", nullable(text())), ("message", text()), ("exceptionName", nullable(text()))]),
        "Count": object(&[("count", number())]),
        "Permitted": object(&[("permitted", flag())]),
        "Project": object(&[
            ("key", text()), ("id", number()), ("name", text()), ("description?", text()), ("public", flag()),
            ("type", text()), ("links", of("Links")),
        ]),
        "Repository": object(&[
            ("slug", text()), ("id", number()), ("name", text()), ("description?", text()), ("hierarchyId", text()),
            ("scmId", text()), ("state", text()), ("statusMessage", text()), ("forkable", flag()),
            ("project", of("Project")), ("public", flag()), ("archived", flag()), ("defaultBranch?", text()),
            ("links", of("Links")),
        ]),
        "MinimalRef": object(&[("id", text()), ("displayId", text()), ("type", words(&["BRANCH", "TAG"]))]),
        "Branch": object(&[
            ("id", text()), ("displayId", text()), ("type", words(&["BRANCH"])), ("latestCommit", text()),
            ("latestChangeset", text()), ("isDefault", flag()), ("metadata?", json!({"type": "object"})),
        ]),
        "Tag": object(&[
            ("id", text()), ("displayId", text()), ("type", words(&["TAG"])), ("latestCommit", text()),
            ("latestChangeset", text()), ("hash", nullable(text())),
        ]),
        "PullRequestSettings": object(&[
            ("mergeConfig", json!({"type": "object"})), ("requiredAllApprovers", flag()),
            ("requiredAllTasksComplete", flag()), ("requiredApprovers", number()),
            ("requiredSuccessfulBuilds", number()), ("unapproveOnUpdate", flag()),
        ]),
        "Condition": object(&[
            ("id", number()), ("scope", object(&[("type", text()), ("resourceId", number())])),
            ("sourceRefMatcher", json!({"type": "object"})), ("targetRefMatcher", json!({"type": "object"})),
            ("reviewers", list(&of("User"))), ("requiredApprovals", number()),
        ]),
    })
}

fn differences() -> Value {
    let person = json!({"oneOf": [of("User"), object(&[("name", text()), ("emailAddress", text())])]});
    let minimal = object(&[("id", text()), ("displayId", text())]);
    let line =
        object(&[("source", number()), ("destination", number()), ("line", text()), ("truncated", flag())]);
    let segment = object(&[
        ("type", words(&["ADDED", "CONTEXT", "REMOVED"])),
        ("lines", list(&line)),
        ("truncated", flag()),
    ]);
    let hunk = object(&[
        ("context?", text()),
        ("sourceLine", number()),
        ("sourceSpan", number()),
        ("destinationLine", number()),
        ("destinationSpan", number()),
        ("segments", list(&segment)),
        ("truncated", flag()),
    ]);
    let file = object(&[
        ("source", nothing_or("Path")),
        ("destination", nothing_or("Path")),
        ("binary?", flag()),
        ("hunks?", list(&hunk)),
        ("truncated", flag()),
        ("lineComments?", list(&json!({"type": "object"}))),
        ("fileComments?", list(&json!({"type": "object"}))),
    ]);
    let mut changes = page_of(&of("Change"));
    if let Some(properties) = changes.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("fromHash".to_owned(), nullable(text()));
        properties.insert("toHash".to_owned(), text());
        properties.insert("properties".to_owned(), json!({"type": "object"}));
    }
    json!({
        "Path": object(&[
            ("components", list(&text())), ("parent?", text()), ("name", text()), ("extension?", text()),
            ("toString", text()),
        ]),
        "Commit": object(&[
            ("id", text()), ("displayId", text()), ("author", person.clone()), ("authorTimestamp", number()),
            ("committer", person), ("committerTimestamp", number()), ("message", text()),
            ("parents", list(&json!({"oneOf": [of("Commit"), minimal]}))),
        ]),
        "Change": object(&[
            ("contentId", text()), ("fromContentId", text()), ("path", of("Path")), ("executable?", flag()),
            ("percentUnchanged", number()), ("type", words(&["ADD", "COPY", "DELETE", "MODIFY", "MOVE", "UNKNOWN"])),
            ("nodeType", words(&["FILE", "SUBMODULE"])), ("srcPath?", of("Path")), ("srcExecutable?", flag()),
            ("links", of("Links")),
        ]),
        "Changes": changes,
        "Diff": object(&[
            ("fromHash", nullable(text())), ("toHash", text()), ("contextLines", number()),
            ("whitespace", words(&["SHOW", "IGNORE_ALL"])), ("diffs", list(&file)), ("truncated", flag()),
        ]),
        "Browsed": json!({"type": "object"}),
    })
}

fn people() -> Value {
    let user = [
        ("name", text()),
        ("emailAddress", text()),
        ("active", flag()),
        ("displayName", text()),
        ("id", number()),
        ("slug", text()),
        ("type", words(&["NORMAL"])),
        ("links", of("Links")),
    ];
    let mut detailed = user.to_vec();
    detailed.extend([("directoryName", text()), ("deletable", flag()), ("mutableDetails", flag())]);
    detailed.push(("mutableGroups", flag()));
    json!({
        "User": object(&user),
        "DetailedUser": object(&detailed),
        "Group": object(&[("name", text()), ("deletable", flag())]),
        "PermittedUser": object(&[("user", of("User")), ("permission", text())]),
        "PermittedGroup": object(&[("group", object(&[("name", text())])), ("permission", text())]),
        "AuditEvent": object(&[
            ("action", text()), ("timestamp", number()), ("details?", text()), ("user?", of("User")),
        ]),
        "AccessToken": object(&[
            ("id", text()), ("createdDate", number()), ("lastAuthenticated?", number()), ("expiryDate?", number()),
            ("name", text()), ("permissions", list(&text())), ("user", of("User")), ("token?", text()),
        ]),
        "SshKey": object(&[
            ("id", number()), ("text", text()), ("label", text()), ("algorithmType", text()), ("bitLength", number()),
            ("fingerprint", text()), ("createdDate", text()),
        ]),
    })
}

fn builds() -> Value {
    let rest = [
        ("key", text()),
        ("state", text()),
        ("name?", text()),
        ("url", text()),
        ("description?", text()),
        ("ref?", text()),
        ("parent?", text()),
        ("buildNumber?", text()),
        ("duration?", number()),
        ("testResults?", json!({"type": "object"})),
    ];
    let (mut status, mut build) = (rest.to_vec(), rest.to_vec());
    status.push(("dateAdded", number()));
    build.extend([("createdDate", number()), ("updatedDate", number())]);
    let counts = ["successful", "inProgress", "failed", "cancelled", "unknown"].map(|name| (name, number()));
    json!({
        "BuildStatus": object(&status),
        "Build": object(&build),
        "BuildCounts": object(&counts),
        "ManyBuildCounts": {"type": "object", "additionalProperties": of("BuildCounts")},
    })
}

fn pull_requests() -> Value {
    let tip = object(&[
        ("id", text()),
        ("displayId", text()),
        ("latestCommit", text()),
        ("repository", of("Repository")),
        ("type?", text()),
    ]);
    let veto = object(&[("summaryMessage", text()), ("detailedMessage", text())]);
    json!({
        "Participant": object(&[
            ("user", of("User")), ("lastReviewedCommit?", text()),
            ("role", words(&["AUTHOR", "REVIEWER", "PARTICIPANT"])), ("approved", flag()),
            ("status", words(&["UNAPPROVED", "NEEDS_WORK", "APPROVED"])),
        ]),
        "PullRequest": object(&[
            ("id", number()), ("version", number()), ("title", text()), ("description?", text()),
            ("state", words(&["OPEN", "MERGED", "DECLINED"])), ("open", flag()), ("closed", flag()),
            ("createdDate", number()), ("updatedDate", number()), ("closedDate?", number()), ("fromRef", tip.clone()),
            ("toRef", tip), ("locked", flag()), ("author?", of("Participant")),
            ("reviewers", list(&of("Participant"))), ("participants", list(&of("Participant"))),
            ("properties?", json!({"type": "object"})), ("links", of("Links")),
        ]),
        "CanMerge": object(&[
            ("canMerge", flag()), ("conflicted", flag()), ("outcome", text()), ("vetoes", list(&veto)),
        ]),
    })
}

/// What bodies may hold; all of them are also taken with more in them, as other versions of Bitbucket know more.
fn wishes() -> Value {
    let wish = |members: &[(&str, Value)]| {
        let properties: Map<String, Value> =
            members.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
        json!({"type": "object", "nullable": true, "properties": properties})
    };
    let matcher = wish(&[("id", text()), ("type", wish(&[("id", text())]))]);
    let person = wish(&[("name", text()), ("id", number()), ("slug", text())]);
    json!({
        "ProjectWish": wish(&[("key", text()), ("name", text()), ("description", text())]),
        "RepositoryWish": wish(&[
            ("name", text()), ("description", text()), ("scmId", text()), ("defaultBranch", text()),
        ]),
        "RepositoryChange": wish(&[
            ("name", text()), ("description", text()), ("defaultBranch", text()), ("project", wish(&[("key", text())])),
        ]),
        "RefWish": wish(&[("name", text()), ("startPoint", text()), ("message", text())]),
        "RefName": wish(&[("id", text())]),
        "RefRemoval": wish(&[("name", text()), ("endPoint", text()), ("dryRun", flag())]),
        "BuildWish": wish(&[
            ("key", text()), ("state", text()), ("name", text()), ("url", text()), ("description", text()),
        ]),
        "CommitIds": {"type": "array", "items": text()},
        "ConditionWish": wish(&[
            ("sourceMatcher", matcher.clone()), ("targetMatcher", matcher), ("reviewers", list(&person)),
            ("requiredApprovals", number()),
        ]),
        "UserChange": wish(&[("name", text()), ("displayName", text()), ("email", text())]),
        "PasswordChange": wish(&[("password", text()), ("passwordConfirm", text()), ("oldPassword", text())]),
        "Membership": wish(&[
            ("context", text()), ("itemName", text()), ("group", text()), ("users", list(&text())), ("user", text()),
            ("groups", list(&text())),
        ]),
        "AccessTokenWish": wish(&[
            ("name", text()), ("permissions", list(&text())), ("expiryDays", number()),
        ]),
        "SshKeyWish": wish(&[("text", text()), ("label", text())]),
        "PullRequestWish": wish(&[("title", text()), ("description", text()), ("version", number())]),
        "ParticipantWish": wish(&[("user", person), ("role", text()), ("status", text())]),
        "CommentWish": wish(&[("text", text()), ("version", number())]),
    })
}
