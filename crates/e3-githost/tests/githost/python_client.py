"""A tour of a githost with atlassian-python-api, as its users write their scripts.

In: the base URL and a directory for git's working copy as arguments, a JSON object on standard input with the
administrator's password, a public key and a private key's file. Out: one line per stop. Any surprise ends it.
"""

import json
import os
import subprocess
import sys

from atlassian import Bitbucket
from requests import HTTPError


def main():
    base, work = sys.argv[1:]
    given = json.load(sys.stdin)
    admin = Bitbucket(url=base, username="admin", password=given["password"])
    tour = Tour(base, work, given, admin)
    for stop in (
        tour.projects,
        tour.repositories,
        tour.users,
        tour.keys,
        tour.pushes,
        tour.branches_and_tags,
        tour.commits_and_files,
        tour.pull_request_that_is_merged,
        tour.pull_request_that_is_declined,
        tour.pull_request_with_a_conflict,
        tour.what_is_not_there,
        tour.removals,
    ):
        stop()
        print("ok", stop.__name__)


class Tour:
    def __init__(self, base, work, given, admin):
        self.base, self.work, self.given, self.admin = base, work, given, admin
        self.ada = Bitbucket(url=base, username="ada", password="countess of lovelace")

    def projects(self):
        made = self.admin.create_project("TOUR", "Grand tour", "Seen from Python")
        assert (made["key"], made["name"], made["description"]) == ("TOUR", "Grand tour", "Seen from Python"), made
        assert made["type"] == "NORMAL" and made["public"] is False and made["id"] > 0, made
        for number in range(30):
            self.admin.create_project(f"P{number:02}", f"Project {number:02}")
        keys = [project["key"] for project in self.admin.project_list()]
        assert len(keys) == len(set(keys)) == 31 and "TOUR" in keys, keys
        assert [project["key"] for project in self.admin.project_list(limit=7)] == keys, "pages join up"
        assert self.admin.project("TOUR")["name"] == "Grand tour"
        assert self.admin.project_exists("TOUR") and not self.admin.project_exists("NONE")
        refused(409, self.admin.create_project, "TOUR", "Again")
        refused(400, self.admin.create_project, "not a key!", "Bad")

    def repositories(self):
        made = self.admin.create_repo("TOUR", "Night Train", forkable=True)
        assert (made["slug"], made["name"], made["scmId"]) == ("night-train", "Night Train", "git"), made
        assert made["state"] == "AVAILABLE" and made["project"]["key"] == "TOUR", made
        self.admin.create_repo("TOUR", "other")
        slugs = [repository["slug"] for repository in self.admin.repo_all_list("TOUR")]
        assert slugs == ["night-train", "other"], slugs
        assert self.admin.get_repo("TOUR", "night-train")["id"] == made["id"]
        assert self.admin.repo_exists("TOUR", "other") and not self.admin.repo_exists("TOUR", "none")
        refused(409, self.admin.create_repo, "TOUR", "other")
        links = {link["name"]: link["href"] for link in made["links"]["clone"]}
        assert links["http"].endswith("/scm/tour/night-train.git"), links
        assert links["ssh"].startswith("ssh://git@") and links["ssh"].endswith("/tour/night-train.git"), links
        self.links = links

    def users(self):
        for name, password in (("ada", "countess of lovelace"), ("grace", "rear admiral")):
            self.admin.post(
                "rest/api/1.0/admin/users",
                params={
                    "name": name,
                    "password": password,
                    "displayName": name.title(),
                    "emailAddress": f"{name}@example.com",
                },
                headers=self.admin.form_token_headers,
            )
        names = [user["name"] for user in self.admin.get_users()["values"]]
        assert {"admin", "ada", "grace"} <= set(names), names
        found = self.admin.get_users("grac")["values"]
        assert [user["emailAddress"] for user in found] == ["grace@example.com"], found
        assert {user["slug"] for user in self.admin.get_users_info()} == set(names)
        stranger = Bitbucket(url=self.base, username="ada", password="wrong")
        refused(401, stranger.project, "TOUR")
        # Bitbucket says 401 also to those whom it knows.
        refused(401, self.ada.create_project, "MINE", "Not for ada")
        self.admin.project_grant_user_permissions("TOUR", "ada", "PROJECT_WRITE")
        granted = [(entry["user"]["name"], entry["permission"]) for entry in self.admin.project_users("TOUR")]
        assert ("ada", "PROJECT_WRITE") in granted, granted

    def keys(self):
        text = self.given["publicKey"]
        made = self.admin.post("rest/ssh/1.0/keys", params={"user": "ada"}, data={"text": text})
        assert made["text"].split()[:2] == text.split()[:2], made
        listed = self.admin.get("rest/ssh/1.0/keys", params={"user": "ada"})["values"]
        assert [key["text"].split()[1] for key in listed] == [text.split()[1]], listed
        assert self.ada.get("rest/ssh/1.0/keys")["values"] == listed, "ada sees her own"
        refused(409, self.admin.post, "rest/ssh/1.0/keys", params={"user": "grace"}, data={"text": text})
        refused(400, self.admin.post, "rest/ssh/1.0/keys", params={"user": "grace"}, data={"text": "no key"})

    def pushes(self):
        git = self.git
        git("init", "--quiet", "--initial-branch=main", ".")
        self.write("README.md", "# Night train\n")
        self.write("src/engine.py", "".join(f"wheel({n})\n" for n in range(40)))
        self.commit("Leave the station")
        for branch, line in (("feature/dining", "soup"), ("feature/sleeper", "bunk"), ("feature/clash", "clash")):
            git("checkout", "--quiet", "-b", branch, "main")
            self.write("src/engine.py", "".join(f"wheel({n})\n" for n in range(40)) + f"{line}()\n")
            self.write(f"{line}.txt", f"{line}\n")
            self.commit(f"Add a {line}\n\nIt was asked for.")
        git("checkout", "--quiet", "main")
        # By SSH and with ada's key, since HTTP is what all else here speaks.
        git("push", "--quiet", self.links["ssh"], "--all")

    def branches_and_tags(self):
        names = {branch["displayId"]: branch for branch in self.admin.get_branches("TOUR", "night-train")}
        assert set(names) == {"main", "feature/dining", "feature/sleeper", "feature/clash"}, names
        assert names["main"]["isDefault"] and names["main"]["latestCommit"] == self.head("main"), names
        found = list(self.admin.get_branches("TOUR", "night-train", filter="dining"))
        assert [branch["id"] for branch in found] == ["refs/heads/feature/dining"], found
        assert self.admin.get_default_branch("TOUR", "night-train")["displayId"] == "main"
        made = self.admin.create_branch("TOUR", "night-train", "feature/late", self.head("main"))
        assert (made["displayId"], made["latestCommit"]) == ("feature/late", self.head("main")), made
        assert "feature/late" in self.git("ls-remote", "--heads", self.links["ssh"])
        self.admin.delete_branch("TOUR", "night-train", "feature/late")
        assert "feature/late" not in self.git("ls-remote", "--heads", self.links["ssh"])
        tag = self.admin.set_tag("TOUR", "night-train", "v1", self.head("main"), description="First")
        assert tag["displayId"] == "v1", tag
        assert [tag["displayId"] for tag in self.admin.get_tags("TOUR", "night-train")] == ["v1"]
        assert "refs/tags/v1" in self.git("ls-remote", "--tags", self.links["ssh"])
        self.admin.delete_tag("TOUR", "night-train", "v1")
        assert list(self.admin.get_tags("TOUR", "night-train")) == []

    def commits_and_files(self):
        commits = list(self.admin.get_commits("TOUR", "night-train", until="feature/dining"))
        assert [commit["id"] for commit in commits] == [self.head("feature/dining"), self.head("main")], commits
        assert commits[0]["message"] == "Add a soup\n\nIt was asked for.", commits[0]
        assert commits[0]["parents"][0]["id"] == self.head("main"), commits[0]
        one = self.admin.get_commit_info("TOUR", "night-train", self.head("main"))
        assert one["author"]["emailAddress"] == "ada@example.com" and one["authorTimestamp"] > 10**12, one
        log = list(self.admin.get_changelog("TOUR", "night-train", "feature/dining", "main"))
        assert [commit["displayId"] for commit in log] == [self.head("feature/dining")[:11]], log
        diffs = self.admin.get_diff("TOUR", "night-train", "src/engine.py", "feature/dining", "main")
        assert [diff["destination"]["toString"] for diff in diffs] == ["src/engine.py"], diffs
        added = [
            line["line"]
            for hunk in diffs[0]["hunks"]
            for segment in hunk["segments"]
            if segment["type"] == "ADDED"
            for line in segment["lines"]
        ]
        assert added == ["soup()"], diffs
        files = sorted(self.admin.get_file_list("TOUR", "night-train"))
        assert files == ["README.md", "src/engine.py"], files
        content = self.admin.get_content_of_file("TOUR", "night-train", "README.md", at="main")
        assert content == b"# Night train\n", content

    def pull_request_that_is_merged(self):
        made = self.open("feature/dining", "A dining car", reviewers=["grace"])
        assert (made["state"], made["version"], made["open"]) == ("OPEN", 0, True), made
        assert made["author"]["user"]["name"] == "ada", made
        assert [reviewer["user"]["name"] for reviewer in made["reviewers"]] == ["grace"], made
        number = made["id"]
        refused(409, self.open, "feature/dining", "The same again")
        listed = list(self.admin.get_pull_requests("TOUR", "night-train"))
        assert [(request["id"], request["title"]) for request in listed] == [(number, "A dining car")], listed

        comment = self.ada.add_pull_request_comment("TOUR", "night-train", number, "Soup is **served**.")
        assert comment["text"] == "Soup is **served**." and comment["author"]["name"] == "ada", comment
        reply = self.admin.add_pull_request_comment("TOUR", "night-train", number, "Hot?", parent_id=comment["id"])
        assert reply["id"] != comment["id"], reply
        seen = self.ada.get_pull_request_comment("TOUR", "night-train", number, comment["id"])
        assert seen["comments"][0]["text"] == "Hot?", seen
        changed = self.ada.update_pull_request_comment(
            "TOUR", "night-train", number, comment["id"], "Soup is cold.", comment["version"]
        )
        assert (changed["text"], changed["version"]) == ("Soup is cold.", comment["version"] + 1), changed
        grace = Bitbucket(url=self.base, username="grace", password="rear admiral")
        self.admin.project_grant_user_permissions("TOUR", "grace", "PROJECT_READ")
        approved = grace.change_reviewed_status("TOUR", "night-train", number, "APPROVED", "grace")
        assert approved["approved"] is True and approved["status"] == "APPROVED", approved

        commits = list(self.ada.get_pull_requests_commits("TOUR", "night-train", number))
        assert [commit["id"] for commit in commits] == [self.head("feature/dining")], commits
        changes = list(self.ada.get_pull_requests_changes("TOUR", "night-train", number))
        assert sorted((c["path"]["toString"], c["type"]) for c in changes) == [
            ("soup.txt", "ADD"),
            ("src/engine.py", "MODIFY"),
        ], changes
        can = self.ada.is_pull_request_can_be_merged("TOUR", "night-train", number)
        assert can["canMerge"] and not can["conflicted"] and can["vetoes"] == [], can
        version = self.ada.get_pull_request("TOUR", "night-train", number)["version"]
        refused(409, self.ada.merge_pull_request, "TOUR", "night-train", number, "", pr_version=version + 7)
        merged = self.ada.merge_pull_request("TOUR", "night-train", number, "All aboard", pr_version=version)
        assert (merged["state"], merged["closed"]) == ("MERGED", True), merged
        commit = merged["properties"]["mergeCommit"]["id"]
        self.git("fetch", "--quiet", self.links["ssh"], "main")
        assert self.git("rev-parse", "FETCH_HEAD").strip() == commit
        parents = self.git("rev-list", "--parents", "-1", commit).split()[1:]
        assert parents == [self.head("main"), self.head("feature/dining")], parents
        assert "soup()" in self.git("show", f"{commit}:src/engine.py")
        assert "All aboard" in self.git("log", "-1", "--format=%B", commit)
        refused(409, self.ada.merge_pull_request, "TOUR", "night-train", number, "", pr_version=merged["version"])
        actions = [a["action"] for a in self.ada.get_pull_requests_activities("TOUR", "night-train", number)]
        assert actions[0] == "MERGED" and actions[-1] == "OPENED", actions
        assert {"COMMENTED", "APPROVED"} <= set(actions), actions
        containing = self.ada.get_pull_requests_contain_commit("TOUR", "night-train", self.head("feature/dining"))
        assert [request["id"] for request in containing] == [number], containing

    def pull_request_that_is_declined(self):
        made = self.open("feature/sleeper", "A sleeper")
        renamed = self.ada.update_pull_request(
            "TOUR",
            "night-train",
            made["id"],
            {"version": made["version"], "title": "Two sleepers", "description": "More", "reviewers": []},
        )
        assert (renamed["title"], renamed["version"]) == ("Two sleepers", made["version"] + 1), renamed
        refused(409, self.ada.decline_pull_request, "TOUR", "night-train", made["id"], made["version"])
        declined = self.ada.decline_pull_request("TOUR", "night-train", made["id"], renamed["version"])
        assert (declined["state"], declined["open"]) == ("DECLINED", False), declined
        refused(409, self.ada.merge_pull_request, "TOUR", "night-train", made["id"], "", pr_version=declined["version"])
        states = {r["id"]: r["state"] for r in self.ada.get_pull_requests("TOUR", "night-train", state="ALL")}
        assert sorted(states.values()) == ["DECLINED", "MERGED"], states
        assert list(self.ada.get_pull_requests("TOUR", "night-train")) == []
        reopened = self.ada.reopen_pull_request("TOUR", "night-train", made["id"], declined["version"])
        assert reopened["state"] == "OPEN", reopened
        again = self.ada.decline_pull_request("TOUR", "night-train", made["id"], reopened["version"])
        assert again["state"] == "DECLINED", again

    def pull_request_with_a_conflict(self):
        made = self.open("feature/clash", "A clash")
        can = self.ada.is_pull_request_can_be_merged("TOUR", "night-train", made["id"])
        assert not can["canMerge"] and can["conflicted"], can
        error = refused(
            409, self.ada.merge_pull_request, "TOUR", "night-train", made["id"], "", pr_version=made["version"]
        )
        problem = error.response.json()["errors"][0]
        assert problem["exceptionName"].endswith("PullRequestMergeVetoedException"), problem
        assert problem["conflicted"] is True, problem
        assert self.ada.get_pull_request("TOUR", "night-train", made["id"])["state"] == "OPEN"
        self.ada.delete_pull_request("TOUR", "night-train", made["id"], made["version"])
        refused(404, self.ada.get_pull_request, "TOUR", "night-train", made["id"])

    def what_is_not_there(self):
        refused(404, self.admin.project, "NONE")
        refused(404, self.admin.get_repo, "TOUR", "none")
        refused(404, self.admin.get_pull_request, "TOUR", "night-train", 4711)
        refused(404, self.open, "feature/none", "From nowhere")
        refused(404, self.admin.get_commit_info, "TOUR", "night-train", "0" * 40)

    def removals(self):
        self.admin.delete_repo("TOUR", "other")
        assert not self.admin.repo_exists("TOUR", "other")
        self.admin.project_remove_user_permissions("TOUR", "ada")
        key = self.admin.get("rest/ssh/1.0/keys", params={"user": "ada"})["values"][0]
        self.admin.delete(f"rest/ssh/1.0/keys/{key['id']}")
        assert self.admin.get("rest/ssh/1.0/keys", params={"user": "ada"})["values"] == []
        try:
            self.git("ls-remote", self.links["ssh"])
        except AssertionError as error:
            assert "Permission denied" in str(error), error
        else:
            raise AssertionError("a key that was removed still opens the door")

    def open(self, branch, title, reviewers=None):
        return self.ada.open_pull_request(
            "TOUR", "night-train", "TOUR", "night-train", branch, "main", title, "Please look.", reviewers
        )

    def head(self, branch):
        return self.git("rev-parse", branch).strip()

    def write(self, name, text):
        path = os.path.join(self.work, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def commit(self, message):
        self.git("add", ".")
        self.git("commit", "--quiet", "-m", message)

    def git(self, *arguments):
        ssh = f"ssh -F none -i {self.given['privateKeyFile']} -o IdentitiesOnly=yes -o BatchMode=yes"
        ssh += f" -o UserKnownHostsFile={self.given['knownHostsFile']} -o StrictHostKeyChecking=yes"
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": self.work,
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_SSH_COMMAND": ssh,
            **{f"GIT_{who}_NAME": "Ada" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "ada@example.com" for who in ("AUTHOR", "COMMITTER")},
        }
        ended = subprocess.run(
            ["git", *arguments],
            cwd=self.work,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 0, f"git {arguments}: {ended.stderr}"
        return ended.stdout


def refused(status, act, *arguments, **named):
    """Asserts that a call is refused with this status and that the error body says why; returns the error."""
    try:
        answer = act(*arguments, **named)
    except HTTPError as error:
        assert error.response.status_code == status, f"{act.__name__}: {error.response.status_code} {error}"
        if "application/json" in error.response.headers["Content-Type"]:
            problems = error.response.json()["errors"]
            assert problems and problems[0]["message"], problems
        return error
    raise AssertionError(f"{act.__name__}{arguments} should be refused with {status}, but answers {answer}")


main()
