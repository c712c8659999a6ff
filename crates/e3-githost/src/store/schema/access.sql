-- What every user may do in a project without a grant: 0 nothing, 1 read, 2 write, 3 administer.
ALTER TABLE projects ADD COLUMN default_level INTEGER NOT NULL DEFAULT 2;

CREATE TABLE user_groups (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL UNIQUE COLLATE NOCASE,
    created_ms INTEGER NOT NULL
);
CREATE TABLE group_members (
    group_id INTEGER NOT NULL REFERENCES user_groups (id) ON DELETE CASCADE,
    user_id  INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, user_id)
) WITHOUT ROWID;
CREATE INDEX group_members_by_user ON group_members (user_id);

-- Without a project and a repository a grant holds everywhere; its levels are then those of the server.
CREATE TABLE grants (
    id            INTEGER PRIMARY KEY,
    project_id    INTEGER REFERENCES projects (id) ON DELETE CASCADE,
    repository_id INTEGER REFERENCES repositories (id) ON DELETE CASCADE,
    user_id       INTEGER REFERENCES users (id) ON DELETE CASCADE,
    group_id      INTEGER REFERENCES user_groups (id) ON DELETE CASCADE,
    level         INTEGER NOT NULL,
    CHECK ((user_id IS NULL) <> (group_id IS NULL)),
    CHECK (project_id IS NULL OR repository_id IS NULL)
);
CREATE UNIQUE INDEX grants_once ON grants
    (coalesce(project_id, 0), coalesce(repository_id, 0), coalesce(user_id, 0), coalesce(group_id, 0));
CREATE INDEX grants_by_project ON grants (project_id);
CREATE INDEX grants_by_repository ON grants (repository_id);
CREATE INDEX grants_by_user ON grants (user_id);
CREATE INDEX grants_by_group ON grants (group_id);

CREATE TABLE access_tokens (
    id               INTEGER PRIMARY KEY,
    user_id          INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name             TEXT NOT NULL,
    secret_hash      BLOB NOT NULL UNIQUE,
    project_level    INTEGER NOT NULL,
    repository_level INTEGER NOT NULL,
    permissions      TEXT NOT NULL,
    created_ms       INTEGER NOT NULL,
    expires_ms       INTEGER,
    used_ms          INTEGER,
    UNIQUE (user_id, name)
);

CREATE TABLE build_statuses (
    id            INTEGER PRIMARY KEY,
    commit_id     TEXT NOT NULL,
    repository_id INTEGER REFERENCES repositories (id) ON DELETE CASCADE,
    key           TEXT NOT NULL,
    state         TEXT NOT NULL,
    document      TEXT NOT NULL,
    added_ms      INTEGER NOT NULL,
    updated_ms    INTEGER NOT NULL
);
CREATE UNIQUE INDEX build_statuses_once ON build_statuses (commit_id, coalesce(repository_id, 0), key);
CREATE INDEX build_statuses_by_repository ON build_statuses (repository_id);

CREATE TABLE repository_settings (
    repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    name          TEXT NOT NULL,
    document      TEXT NOT NULL,
    PRIMARY KEY (repository_id, name)
) WITHOUT ROWID;

CREATE TABLE reviewer_conditions (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id         INTEGER REFERENCES projects (id) ON DELETE CASCADE,
    repository_id      INTEGER REFERENCES repositories (id) ON DELETE CASCADE,
    source_matcher     TEXT NOT NULL,
    target_matcher     TEXT NOT NULL,
    required_approvals INTEGER NOT NULL,
    CHECK ((project_id IS NULL) <> (repository_id IS NULL))
);
CREATE INDEX reviewer_conditions_by_project ON reviewer_conditions (project_id);
CREATE INDEX reviewer_conditions_by_repository ON reviewer_conditions (repository_id);
CREATE TABLE condition_reviewers (
    condition_id INTEGER NOT NULL REFERENCES reviewer_conditions (id) ON DELETE CASCADE,
    user_id      INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (condition_id, user_id)
) WITHOUT ROWID;

-- Every user belongs to the default group, and the administrators of before stay that.
INSERT INTO user_groups (name, created_ms) VALUES ('stash-users', 0);
INSERT INTO group_members (group_id, user_id) SELECT g.id, u.id FROM user_groups g, users u;
INSERT INTO grants (group_id, level) SELECT id, 1 FROM user_groups;
INSERT INTO grants (user_id, level) SELECT id, 4 FROM users WHERE admin;
