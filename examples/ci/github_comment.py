"""Post the review of a pull request as its one comment, and its findings as annotations, after the job that made them.

Run by `comment.yaml` on `workflow_run`, from the default branch. Everything that the pull request could have written
is data here: the artefact, the branch's name, the text. Which pull request it is, GitHub says, not the artefact.
"""

from __future__ import annotations

import io
import json
import os
import sys
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forge import Forge, ForgeError
from hostile_text import MARKER, comment_body
from sarif import packed, rebuilt

ARTEFACTS = {"servestack-review": ("review.md", "review.sarif"), "servestack-simulation": ("simulation.md",)}
MAX_ARTEFACT_BYTES = 20 * 2**20
MAX_FILE_BYTES = 4 * 2**20
NO_REPORT = "The review wrote no report: its run says why."
NO_SIMULATION = "No stack was simulated: the run says why."


def github(environment: Mapping[str, str]) -> Forge:
    """GitHub as this job's token sees it."""
    headers = {"Authorization": f"Bearer {environment['GITHUB_TOKEN']}", "X-GitHub-Api-Version": "2022-11-28"}
    return Forge(environment["GITHUB_API_URL"], headers)


def main(environment: Mapping[str, str]) -> int:
    """Post one comment; 0 also where there is nothing to post to, 1 where GitHub refuses."""
    event = json.loads(Path(environment["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    run, repository = event["workflow_run"], environment["GITHUB_REPOSITORY"]
    try:
        api = github(environment)
        pull = pull_request(api, repository, run, environment["BASE_BRANCH"])
        if pull is None:
            print("No open pull request has this commit as its head: it was closed, or moved on. Nothing to post.")
            return 0
        files = report(api, repository, int(run["id"]))
        footer = f"[Run and artefacts]({environment['GITHUB_SERVER_URL']}/{repository}/actions/runs/{int(run['id'])})"
        number = int(pull["number"])
        review, simulation = files.get("review.md") or NO_REPORT, files.get("simulation.md") or NO_SIMULATION
        body = comment_body(review, simulation, f"{footer} · {run['head_sha'][:10]}")
        print(post(api, repository, number, body, environment.get("COMMENT_AUTHOR", "github-actions[bot]")))
        if "review.sarif" in files and environment.get("UPLOAD_SARIF") == "true":
            print(annotate(api, repository, number, run["head_sha"], files["review.sarif"]))
    except ForgeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def pull_request(api: Forge, repository: str, run: Mapping[str, Any], base: str) -> dict[str, Any] | None:
    """The open pull request whose head the run looked at; None where there is none any more.

    `workflow_run.pull_requests` is empty for forks, so GitHub is asked by the head's owner and branch, and the answer
    counts only with the commit and the repository of the run.
    """
    if run["event"] != "pull_request" or run["head_repository"] is None:
        return None
    head = f"{run['head_repository']['owner']['login']}:{run['head_branch']}"
    for found in api.pages(f"repos/{repository}/pulls", state="open", head=head, base=base):
        source = found["head"]["repo"] or {}
        same = found["head"]["sha"] == run["head_sha"] and source.get("id") == run["head_repository"]["id"]
        if same and found["base"]["repo"]["full_name"] == repository:
            return dict(found)
    return None


def report(api: Forge, repository: str, run_id: int) -> dict[str, str]:
    """Texts of a run's artefacts by name; nothing is unpacked to the disk, and nothing else of them is looked at."""
    newest: dict[str, int] = {}
    for one in api.pages(f"repos/{repository}/actions/runs/{run_id}/artifacts"):
        if one["name"] in ARTEFACTS and not one["expired"]:
            newest[one["name"]] = max(newest.get(one["name"], 0), int(one["id"]))
    found: dict[str, str] = {}
    for artefact, identifier in newest.items():
        content = api.download(f"repos/{repository}/actions/artifacts/{identifier}/zip", MAX_ARTEFACT_BYTES)
        found |= texts(content, ARTEFACTS[artefact])
    return found


def texts(content: bytes, names: tuple[str, ...]) -> dict[str, str]:
    """Named files of an archive; none of what is no archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {name: text for name in names if (text := member(archive, name)) is not None}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        print(f"an artefact is no archive that can be read: {type(error).__name__}", file=sys.stderr)
        return {}


def member(archive: zipfile.ZipFile, name: str) -> str | None:
    """One file of an archive, at most MAX_FILE_BYTES of it whatever its header says; None where it is not there."""
    if name not in archive.namelist():
        return None
    with archive.open(name) as file:
        return file.read(MAX_FILE_BYTES).decode("utf-8", "replace")


def post(api: Forge, repository: str, number: int, body: str, author: str) -> str:
    """Update the comment that this job made before, or make it; another's with the same marker is left alone."""
    for found in api.pages(f"repos/{repository}/issues/{number}/comments"):
        own = found["user"] is not None and found["user"]["login"] == author
        if own and str(found["body"]).startswith(MARKER):
            api.send("PATCH", f"repos/{repository}/issues/comments/{int(found['id'])}", {"body": body})
            return f"Comment of pull request {number} updated."
    api.send("POST", f"repos/{repository}/issues/{number}/comments", {"body": body})
    return f"Comment of pull request {number} made."


def annotate(api: Forge, repository: str, number: int, commit: str, text: str) -> str:
    """Send findings to code scanning; a repository without it is told so, and nothing fails."""
    try:
        sarif = packed(rebuilt(text))
        sent = {"commit_sha": commit, "ref": f"refs/pull/{number}/head", "sarif": sarif, "tool_name": "servestack"}
        api.send("POST", f"repos/{repository}/code-scanning/sarifs", sent)
    except ValueError as error:
        return f"No annotations: {error}."
    except ForgeError as error:
        if error.status in (403, 404):
            return f"No annotations, code scanning is not there: {error}"
        raise
    return "Annotations sent."


if __name__ == "__main__":
    sys.exit(main(os.environ))
