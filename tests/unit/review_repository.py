"""A real git repository with a folder of stack files, for tests of `servestack review`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from infra.cli import main

GIT_ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}


class Repository:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "stacks").mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        who = ["-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
        done = subprocess.run(
            ["git", *who, *arguments], cwd=self.folder, check=True, capture_output=True, text=True, env=GIT_ENVIRONMENT
        )
        return done.stdout

    def commit(self, **files: str | None) -> None:
        for key, text in files.items():
            path = self.folder / "stacks" / f"{key.replace('_', '-')}.yaml"
            path.unlink() if text is None else path.write_text(text, encoding="utf-8")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "change", "--allow-empty")

    def review(self, *more: str) -> int:
        return main(["review", "--stacks", str(self.folder / "stacks"), "--base", "HEAD~1", *more])
