"""GitHub's REST API, as far as the examples use it, with the job's token as `github-actions[bot]`."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from tests.gitops.standin_forge import Answer, Forge, Route

PROGRAMS = Path(__file__).resolve().parents[2] / "examples" / "ci"
REPOSITORY = "team/fleet"
SHA = "ab" * 20
RUN_ID = 77
BOT = "github-actions[bot]"


class GitHub(Forge):
    def __init__(self) -> None:
        super().__init__()
        self.pulls: list[dict[str, Any]] = [self.pull(12)]
        self.comments: list[dict[str, Any]] = []
        self.issues: list[dict[str, Any]] = []
        self.sarifs: list[dict[str, Any]] = []
        self.artefacts: list[dict[str, Any]] = []

    def pull(self, number: int, sha: str = SHA, repository_id: int = 9) -> dict[str, Any]:
        source = {"id": repository_id, "full_name": "stranger/fleet"}
        head = {"sha": sha, "ref": "change", "repo": source, "label": "stranger:change"}
        return {
            "number": number,
            "state": "open",
            "head": head,
            "base": {"ref": "main", "repo": {"full_name": REPOSITORY}},
        }

    def comment(self, login: str, body: str) -> None:
        self.comments.append({"id": len(self.comments) + 1, "user": {"login": login}, "body": body})

    def artefact(self, name: str = "servestack-review", expired: bool = False, **files: bytes | str) -> None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for file, content in files.items():
                archive.writestr(file.replace("_", "."), content)
        self.artefact_bytes(buffer.getvalue(), name, expired)

    def artefact_bytes(self, content: bytes, name: str = "servestack-review", expired: bool = False) -> None:
        identifier = len(self.artefacts) + 1
        self.artefacts.append({"id": identifier, "name": name, "expired": expired})
        self.files[f"/{identifier}.zip"] = content

    def authorized(self, request: BaseHTTPRequestHandler) -> None:
        assert request.headers["Authorization"] == "Bearer the-token"

    def routes(self) -> list[Route]:
        repository = f"/repos/{REPOSITORY}"
        artefact = rf"{repository}/actions/artifacts/(\d+)/zip"
        return [
            ("GET", f"{repository}/pulls", self._pulls),
            ("GET", f"{repository}/actions/runs/{RUN_ID}/artifacts", self._artefacts),
            ("GET", artefact, lambda identifier, **_: (302, f"{self.storage_url}/{identifier}.zip")),
            ("GET", rf"{repository}/issues/(\d+)/comments", lambda _number, **_: (200, self.comments)),
            ("POST", rf"{repository}/issues/(\d+)/comments", self._made),
            ("PATCH", rf"{repository}/issues/comments/(\d+)", self._changed),
            ("POST", f"{repository}/code-scanning/sarifs", self._sarif),
            ("GET", f"{repository}/issues", self._issues),
            ("POST", f"{repository}/issues", self._opened),
            ("PATCH", rf"{repository}/issues/(\d+)", self._edited),
        ]

    def _artefacts(self, **_: Any) -> Answer:
        return 200, ("artifacts", self.artefacts)

    def _pulls(self, query: dict[str, str]) -> Answer:
        def fits(one: dict[str, Any]) -> bool:
            return (one["state"], one["head"]["label"], one["base"]["ref"]) == (
                query["state"],
                query["head"],
                query["base"],
            )

        return 200, [one for one in self.pulls if fits(one)]

    def _made(self, _number: str, body: dict[str, Any]) -> Answer:
        if len(body["body"]) > 65_536:
            return 422, {"message": "body is too long (maximum is 65536 characters)"}
        self.comment(BOT, body["body"])
        return 201, self.comments[-1]

    def _changed(self, identifier: str, body: dict[str, Any]) -> Answer:
        found = next(one for one in self.comments if one["id"] == int(identifier))
        if found["user"] is None or found["user"]["login"] != BOT:
            return 403, {"message": "Resource not accessible by integration"}
        found["body"] = body["body"]
        return 200, found

    def _sarif(self, body: dict[str, Any]) -> Answer:
        self.sarifs.append(body)
        return 202, {"id": "x"}

    def _issues(self, query: dict[str, str]) -> Answer:
        return 200, [one for one in self.issues if one["state"] == query["state"] and query["labels"] in one["labels"]]

    def _opened(self, body: dict[str, Any]) -> Answer:
        self.issues.append({"number": len(self.issues) + 1, "state": "open", "user": {"login": BOT}, **body})
        return 201, self.issues[-1]

    def _edited(self, number: str, body: dict[str, Any]) -> Answer:
        found = next(one for one in self.issues if one["number"] == int(number))
        found.update(body)
        return 200, found

    def environment(self, folder: Path, **run: Any) -> dict[str, str]:
        """What the runner gives to a job on `workflow_run`, and what `comment.yaml` adds."""
        about = {
            "id": RUN_ID,
            "event": "pull_request",
            "head_sha": SHA,
            "head_branch": "change",
            "head_repository": {"id": 9, "full_name": "stranger/fleet", "owner": {"login": "stranger"}},
            "pull_requests": [],
        }
        event = folder / "event.json"
        event.write_text(json.dumps({"workflow_run": about | run}), encoding="utf-8")
        return {
            "PATH": os.environ["PATH"],
            "GITHUB_API_URL": self.url,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_RUN_ID": str(RUN_ID),
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_TOKEN": "the-token",
            "BASE_BRANCH": "main",
            "UPLOAD_SARIF": "true",
        }


def run(program: str, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """A program of `examples/ci`, as a job starts it."""
    command = [sys.executable, str(PROGRAMS / program), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
