"""Which stacks to apply after a merge: platforms, endpoints, and those whose file is gone.

Run with the toolkit's own Python: `changed.py REVIEW STACKS` reads what `servestack review --json` wrote and prints
`platforms=[…]` and `endpoints=[…]` for a job's outputs; with `--plain platforms` it prints one name a line. It names on
standard error what a person has to destroy.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


def main(review: str, stacks: str, plain: str = "", which: str = "") -> int:
    """Print the lists; 1 where a stack is refused, so that nothing is applied."""
    found = json.loads(Path(review).read_text(encoding="utf-8"))
    platforms, endpoints, gone = split(found, Path(stacks))
    for name in gone:
        print(
            f"::warning::stacks/{name}.yaml is gone; what it made still runs. To destroy it: pulumi destroy -s {name}",
            file=sys.stderr,
        )
    if plain == "--plain":
        print("".join(f"{name}\n" for name in {"platforms": platforms, "endpoints": endpoints}[which]), end="")
        return 0
    print(f"platforms={json.dumps(platforms)}")
    print(f"endpoints={json.dumps(endpoints)}")
    return 0


def split(review: Mapping[str, Any], stacks: Path) -> tuple[list[str], list[str], list[str]]:
    """Names of platforms and of endpoints that changed, and of stacks whose file is gone; each sorted.

    Raises:
        SystemExit: a name that is none, or a stack that is refused.
    """
    platforms: list[str] = []
    endpoints: list[str] = []
    gone: list[str] = []
    for one in sorted(review["stacks"], key=lambda found: str(found["stack"])):
        name, kind = str(one["stack"]), one["kind"]
        if not _NAME.fullmatch(name) or kind == "refused":
            raise SystemExit(
                f"{name!a} is {'refused' if kind == 'refused' else 'no name of a stack'}: nothing is applied."
            )
        if kind == "deleted":
            gone.append(name)
        elif kind != "no effect":
            said = yaml.safe_load((stacks / f"{name}.yaml").read_text(encoding="utf-8"))
            (platforms if said["kind"] == "Platform" else endpoints).append(name)
    return platforms, endpoints, gone


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
