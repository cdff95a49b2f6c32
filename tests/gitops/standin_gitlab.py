"""GitLab's REST API, as far as the examples use it: a project, a fork of it, and a token that is user 5."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.gitops.standin_forge import Answer, Forge, Route

PROJECT, FORK, SHA, OWN = 7, 8, "ab" * 20, 5


class GitLab(Forge):
    def __init__(self) -> None:
        super().__init__()
        self.requests: dict[int, dict[str, Any]] = {}
        self.notes: dict[int, list[dict[str, Any]]] = {}
        self.jobs: list[dict[str, Any]] = []
        self.request(1)

    def request(self, number: int, project: int = PROJECT, sha: str = SHA) -> None:
        pipeline = {"id": 30, "sha": SHA, "project_id": project, "web_url": f"https://gitlab.example/{project}/30"}
        self.requests[number] = {"iid": number, "sha": sha, "head_pipeline": pipeline}
        self.notes[number] = []

    def job(self, name: str, status: str, file: str = "", content: bytes = b"") -> None:
        self.jobs = [one for one in self.jobs if one["name"] != name]
        identifier = 40 + len(self.jobs) + (name == "simulate")
        self.jobs.append({"id": identifier, "name": name, "status": status})
        for project in (PROJECT, FORK):
            self.files[f"/{project}/{identifier}/{file}"] = content

    def authorized(self, request: BaseHTTPRequestHandler) -> None:
        assert request.headers["PRIVATE-TOKEN"] == "the-token"

    def routes(self) -> list[Route]:
        merge = f"/projects/{PROJECT}/merge_requests"
        artefact = r"/projects/(\d+)/jobs/(\d+)/artifacts/(.+)"
        return [
            ("GET", "/user", lambda **_: (200, {"id": OWN})),
            ("GET", merge, lambda **_: (200, [{"iid": one} for one in self.requests])),
            ("GET", rf"{merge}/(\d+)", lambda number, **_: (200, self.requests[int(number)])),
            ("GET", rf"{merge}/(\d+)/notes", lambda number, **_: (200, self.notes[int(number)])),
            ("POST", rf"{merge}/(\d+)/notes", self._made),
            ("PUT", rf"{merge}/(\d+)/notes/(\d+)", self._changed),
            ("GET", r"/projects/\d+/pipelines/30/jobs", lambda **_: (200, self.jobs)),
            ("GET", artefact, lambda project, job, file, **_: (302, f"{self.storage_url}/{project}/{job}/{file}")),
        ]

    def note(self, number: int, author: int, body: str) -> None:
        identifier = 100 + sum(map(len, self.notes.values()))
        self.notes[number].append({"id": identifier, "author": {"id": author}, "body": body})

    def _made(self, number: str, body: dict[str, Any]) -> Answer:
        self.note(int(number), OWN, body["body"])
        return 201, self.notes[int(number)][-1]

    def _changed(self, number: str, identifier: str, body: dict[str, Any]) -> Answer:
        found = next(one for one in self.notes[int(number)] if one["id"] == int(identifier))
        if found["author"]["id"] != OWN:
            return 403, {"message": "403 Forbidden"}
        found["body"] = body["body"]
        return 200, found

    def environment(self) -> dict[str, str]:
        return {
            "CI_API_V4_URL": self.url,
            "CI_PROJECT_ID": str(PROJECT),
            "CI_DEFAULT_BRANCH": "main",
            "SERVESTACK_NOTE_TOKEN": "the-token",
        }
