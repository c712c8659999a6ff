CREATE TABLE pull_request_numbers (
    repository_id INTEGER PRIMARY KEY REFERENCES repositories (id) ON DELETE CASCADE,
    last          INTEGER NOT NULL
);
CREATE TABLE pull_requests (
    key           INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    number        INTEGER NOT NULL,
    version       INTEGER NOT NULL DEFAULT 0,
    title         TEXT NOT NULL,
    description   TEXT,
    state         TEXT NOT NULL DEFAULT 'OPEN',
    author_id     INTEGER NOT NULL REFERENCES users (id),
    from_ref      TEXT NOT NULL,
    from_commit   TEXT NOT NULL,
    to_ref        TEXT NOT NULL,
    to_commit     TEXT NOT NULL,
    created_ms    INTEGER NOT NULL,
    updated_ms    INTEGER NOT NULL,
    closed_ms     INTEGER,
    merge_commit  TEXT,
    UNIQUE (repository_id, number)
);
CREATE UNIQUE INDEX pull_requests_open ON pull_requests (repository_id, from_ref, to_ref) WHERE state = 'OPEN';
CREATE INDEX pull_requests_by_state ON pull_requests (repository_id, state, number);
CREATE TABLE pull_request_merges (
    pull_request  INTEGER PRIMARY KEY REFERENCES pull_requests (key) ON DELETE CASCADE,
    repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    to_ref        TEXT NOT NULL,
    from_commit   TEXT NOT NULL,
    to_commit     TEXT NOT NULL,
    merge_commit  TEXT NOT NULL,
    user_id       INTEGER NOT NULL REFERENCES users (id)
);
CREATE INDEX pull_request_merges_by_repository ON pull_request_merges (repository_id);
CREATE TABLE pull_request_people (
    pull_request    INTEGER NOT NULL REFERENCES pull_requests (key) ON DELETE CASCADE,
    user_id         INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role            TEXT NOT NULL,
    status          TEXT NOT NULL,
    reviewed_commit TEXT,
    PRIMARY KEY (pull_request, user_id)
) WITHOUT ROWID;
CREATE INDEX pull_request_people_by_user ON pull_request_people (user_id, role, status);
CREATE TABLE pull_request_comments (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    pull_request INTEGER NOT NULL REFERENCES pull_requests (key) ON DELETE CASCADE,
    parent_id    INTEGER REFERENCES pull_request_comments (id) ON DELETE CASCADE,
    root_id      INTEGER REFERENCES pull_request_comments (id) ON DELETE CASCADE,
    author_id    INTEGER NOT NULL REFERENCES users (id),
    version      INTEGER NOT NULL DEFAULT 0,
    text         TEXT NOT NULL,
    severity     TEXT NOT NULL,
    state        TEXT NOT NULL DEFAULT 'OPEN',
    created_ms   INTEGER NOT NULL,
    updated_ms   INTEGER NOT NULL,
    path         TEXT,
    source_path  TEXT,
    line         INTEGER,
    line_type    TEXT,
    file_type    TEXT,
    from_hash    TEXT,
    to_hash      TEXT
);
CREATE INDEX pull_request_comments_by_path ON pull_request_comments (pull_request, path);
CREATE INDEX pull_request_comments_by_parent ON pull_request_comments (parent_id);
CREATE INDEX pull_request_comments_by_root ON pull_request_comments (root_id);
CREATE TABLE pull_request_activities (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    pull_request INTEGER NOT NULL REFERENCES pull_requests (key) ON DELETE CASCADE,
    user_id      INTEGER NOT NULL REFERENCES users (id),
    action       TEXT NOT NULL,
    happened_ms  INTEGER NOT NULL,
    comment_id   INTEGER REFERENCES pull_request_comments (id) ON DELETE CASCADE,
    before       TEXT,
    after        TEXT,
    target       TEXT,
    reviewers    TEXT
);
CREATE INDEX pull_request_activities_by_request ON pull_request_activities (pull_request, id);
CREATE INDEX pull_request_activities_by_comment ON pull_request_activities (comment_id);
