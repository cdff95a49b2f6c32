"""The hub's commit of a branch: `GET /api/models/NAME/revision/BRANCH`, as `model_info` of huggingface_hub asks."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

from infra.lock_client.asking import Answer, Asker, AskingError, short
from infra.lock_client.settings import Settings


def commit(asker: Asker, known: Settings, repository: str, revision: str) -> str:
    """Commit on which a branch of a model's repository is now.

    Raises:
        AskingError: refused, not found, or no commit in the answer.
    """
    # `expand` leaves out all but what is named: a repository may have thousands of files.
    url = f"{known.hub}/api/models/{repository}/revision/{quote(revision, safe='')}?expand=sha"
    answer = asker.get(url, {"Accept": "application/json"}, f"Bearer {known.token}" if known.token else "")
    if answer.status != 200:
        raise AskingError(_refused(answer, known, repository, revision))
    try:
        found = json.loads(answer.body)["sha"]
    except (ValueError, KeyError, TypeError, RecursionError):
        found = None
    if not isinstance(found, str) or not re.fullmatch(r"[0-9a-f]{40}", found):
        raise AskingError("the hub's answer has no commit. Is HF_ENDPOINT the address of a hub?")
    return found


def _refused(answer: Answer, known: Settings, repository: str, revision: str) -> str:
    """Why, by status and `X-Error-Code` (huggingface_hub 2.4.0, utils/_http.py)."""
    code, said = answer.headers.get("X-Error-Code", ""), short(answer.headers.get("X-Error-Message", ""))
    if code == "GatedRepo" or answer.status == 403:
        return (
            f"access refused (HTTP {answer.status}). Accept its licence at {known.hub}/{repository}, and set HF_TOKEN "
            "to a token of that account."
        )
    if answer.status == 401:
        token = "HF_TOKEN is not accepted" if known.token else "set HF_TOKEN if it is private"
        return f"not found, or not to be seen (HTTP 401): {token}; otherwise correct the name."
    if code == "RevisionNotFound":
        return f"it has no revision {revision} (HTTP {answer.status})."
    if answer.status == 404:
        return "not found (HTTP 404). Correct the name: weights.checkpoint, or adapters."
    return f"the hub answers HTTP {answer.status}{f': {said}' if said else ''}."
