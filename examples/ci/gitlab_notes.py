"""Keep one note in each open merge request: what the review's jobs of its last commit said.

Run by a schedule of the protected default branch, so the token is in no pipeline of a merge request. What those
pipelines left, in this project or in a fork, is hostile text. Which pipeline belongs to which commit, GitLab says.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from forge import Forge, ForgeError, quoted
from hostile_text import MARKER, comment_body

MAX_FILE_BYTES = 4 * 2**20
FILES = {"review": "report/review.md", "simulate": "report/simulation.md"}
ENDED = ("success", "failed")
NOTHING = "The job wrote no report: its log says why."


def main(environment: Mapping[str, str]) -> int:
    """Write what is new; one merge request that GitLab refuses fails the job, but keeps no other from its note."""
    api = Forge(environment["CI_API_V4_URL"], {"PRIVATE-TOKEN": environment["SERVESTACK_NOTE_TOKEN"]})
    project, branch = environment["CI_PROJECT_ID"], environment["CI_DEFAULT_BRANCH"]
    failed = False
    try:
        own = int(api.get("user")["id"])
        listed = api.pages(f"projects/{project}/merge_requests", state="opened", target_branch=branch)
        for number in [int(one["iid"]) for one in listed]:
            try:
                print(keep(api, project, number, own))
            except ForgeError as error:
                print(f"!{number}: {error}", file=sys.stderr)
                failed = True
    except ForgeError as error:
        print(error, file=sys.stderr)
        return 1
    return 1 if failed else 0


def keep(api: Forge, project: str, number: int, own: int) -> str:
    """Bring the note of one merge request to what the last pipeline said; nothing while that runs."""
    request = api.get(f"projects/{project}/merge_requests/{number}")
    pipeline = request.get("head_pipeline")
    if pipeline is None or pipeline["sha"] != request["sha"]:
        return f"!{number}: no pipeline of its last commit yet."
    said = reports(api, pipeline)
    if said is None:
        return f"!{number}: its pipeline runs."
    body = comment_body(said["review"], said["simulate"], f"[Pipeline]({pipeline['web_url']}) · {request['sha'][:10]}")
    notes = f"projects/{project}/merge_requests/{number}/notes"
    for note in api.pages(notes, sort="asc"):
        if note["author"]["id"] == own and str(note["body"]).startswith(MARKER):
            if note["body"].strip() == body.strip():
                return f"!{number}: nothing new."
            api.send("PUT", f"{notes}/{int(note['id'])}", {"body": body})
            return f"!{number}: note updated."
    api.send("POST", notes, {"body": body})
    return f"!{number}: note made."


def reports(api: Forge, pipeline: Mapping[str, Any]) -> dict[str, str] | None:
    """What each job said, from the project in which it ran; None while one has not ended."""
    project = int(pipeline["project_id"])
    said = dict.fromkeys(FILES, NOTHING)
    for job in api.pages(f"projects/{project}/pipelines/{int(pipeline['id'])}/jobs"):
        if job["name"] not in FILES:
            continue
        if job["status"] not in ENDED:
            return None
        path = f"projects/{project}/jobs/{int(job['id'])}/artifacts/{quoted(FILES[job['name']]).replace('%2F', '/')}"
        try:
            said[job["name"]] = api.download(path, MAX_FILE_BYTES).decode("utf-8", "replace")
        except ForgeError as error:
            if error.status not in (0, 401, 403, 404):
                raise
    return said


if __name__ == "__main__":
    sys.exit(main(os.environ))
