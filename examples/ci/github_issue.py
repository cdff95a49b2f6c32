"""Keep one issue about drift: opened where there is none, updated while drift lasts, closed when it is over.

`drift.yaml` runs it with a folder of one `<stack>.txt` for each stack that drifted: what the preview said.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from forge import Forge, ForgeError
from github_comment import github
from hostile_text import MARKER, cut, harmless

TITLE = "Stacks differ from what runs"
LABEL = "servestack-drift"
MAX_STACK_CHARACTERS = 4_000
LIMIT_CHARACTERS = 60_000


def main(environment: Mapping[str, str], folder: str) -> int:
    """Open, update or close the issue; 1 where GitHub refuses."""
    repository = environment["GITHUB_REPOSITORY"]
    run = f"{environment['GITHUB_SERVER_URL']}/{repository}/actions/runs/{int(environment['GITHUB_RUN_ID'])}"
    found = {path.stem: path.read_text(encoding="utf-8", errors="replace") for path in Path(folder).glob("*.txt")}
    try:
        print(keep(github(environment), repository, body(found, run) if found else None, environment))
    except ForgeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def body(drifted: Mapping[str, str], run: str) -> str:
    """Text of the issue: each stack with the end of what its preview said."""
    parts = [f"{len(drifted)} differ; `pulumi up` takes it back. [Run]({run})."]
    for stack, said in sorted(drifted.items()):
        shown = harmless(said.replace("`", "'"))[-MAX_STACK_CHARACTERS:]
        parts.append(f"<details><summary>{harmless(stack)}</summary>\n\n```text\n{shown}\n```\n\n</details>")
    return f"{MARKER}\n" + cut("\n\n".join(parts), LIMIT_CHARACTERS) + "\n"


def keep(api: Forge, repository: str, text: str | None, environment: Mapping[str, str]) -> str:
    """Bring the one issue to what is so now; `text` None where nothing drifts."""
    author = environment.get("COMMENT_AUTHOR", "github-actions[bot]")
    issues = api.pages(f"repos/{repository}/issues", state="open", labels=LABEL)
    own = [one for one in issues if one["user"]["login"] == author and str(one["body"]).startswith(MARKER)]
    number = min((int(one["number"]) for one in own), default=None)
    if text is None and number is None:
        return "Nothing drifts."
    if text is None:
        api.send("PATCH", f"repos/{repository}/issues/{number}", {"state": "closed", "state_reason": "completed"})
        return f"Nothing drifts any more: issue {number} closed."
    if number is None:
        made = api.send("POST", f"repos/{repository}/issues", {"title": TITLE, "body": text, "labels": [LABEL]})
        return f"Issue {int(made['number'])} opened."
    api.send("PATCH", f"repos/{repository}/issues/{number}", {"body": text})
    return f"Issue {number} updated."


if __name__ == "__main__":
    sys.exit(main(os.environ, sys.argv[1]))
