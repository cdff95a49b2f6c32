"""`servestack smoke` and `verify` of a service of this machine: after `up`, after a change of the file, at the end."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tests.local.project import TINY, LocalProject


def servestack(project: LocalProject, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.cli", *arguments, "--stacks", "stacks"]
    done = subprocess.run(
        command,
        cwd=project.folder,
        env=project.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    project.said += done.stdout + done.stderr
    return done


def apart(project: LocalProject) -> dict[str, dict[str, Any]]:
    done = servestack(project, "verify", TINY, "--json")
    found = json.loads(done.stdout)
    rows = {one["what"]: one for one in found["rows"] if one["result"] == "differs"}
    assert done.returncode == (1 if rows else 0), done.stderr
    return rows


def test_what_up_started_answers_is_as_planned_and_shows_where_it_is_not(project: LocalProject) -> None:
    assert servestack(project, "smoke", TINY).returncode == 2, "no key file yet"
    assert apart(project)["service"]["live"] == "none runs"
    project.up()
    done = servestack(project, "smoke", TINY, "--json", str(project.folder / "smoke.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    results = {one["check"]: one["result"] for one in json.loads((project.folder / "smoke.json").read_text())["checks"]}
    done_checks = ("models", "chat", "stream", "tool call", "JSON schema", "wrong key", "too long", "metrics")
    assert [results[one] for one in done_checks] == ["ok"] * len(done_checks)
    assert apart(project) == {}
    project.write(TINY, contextLength=2048)
    rows = apart(project)
    assert "--ctx-size 2048" in rows["arguments"]["planned"]
    assert "--ctx-size" in rows["arguments"]["live"]
    assert rows["arguments"]["step"] == f"pulumi up --refresh -s {TINY}"
    assert project.key() not in project.said
    project.destroy()
    assert apart(project)["service"]["live"] == "none runs"
