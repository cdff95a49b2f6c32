"""What valid stack files say of where they run, read as plain YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from simulator import supervisor
from simulator.home import Home

_ON_MACHINES = {"host", "local"}


class StackContents:
    """The stack files of one folder."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; files are read when they are asked for."""
        self.folder = folder

    def content(self, name: str) -> dict[str, Any]:
        """What a file says; nothing of one that is no YAML mapping, which `validate` refuses."""
        try:
            found = yaml.safe_load((self.folder / f"{name}.yaml").read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            return {}
        return found if isinstance(found, dict) else {}

    def platform(self, name: str) -> str:
        """The platform that a stack names."""
        return str(self.content(name).get("platform", ""))

    def kind(self, name: str) -> str:
        """`platform`, `endpoint`, `job`, `managed` or `machine`."""
        content = self.content(name)
        if content.get("kind") == "Platform":
            return "machine" if _ON_MACHINES & set(content) else "platform"
        if _ON_MACHINES & set(self.content(self.platform(name))):
            return "machine"
        if content.get("framework") in ("gemini", "vertex"):
            return "managed"
        return "job" if "job" in content else "endpoint"

    def context(self, platform: str) -> str:
        """Kubeconfig context of a platform's cluster, as gcloud writes it, or as the file names it."""
        content = self.content(platform)
        own, gke = content.get("kubernetes"), content.get("gke")
        if own:
            return str(own["context"])
        if not gke:
            return ""
        return f"gke_{gke['project']}_{gke['location']}_{gke['cluster']['name']}"

    def adopt(self, home: Home, platform: str) -> None:
        """See that the cluster is there that a platform does not make itself."""
        from simulator.adopted_cluster import make_adopted
        from simulator.own_cluster import make_own

        content, running = self.content(platform), supervisor.find(home)
        gke, own = content.get("gke"), content.get("kubernetes")
        if running is None:
            return
        if gke and not gke["cluster"].get("create", True):
            make_adopted(running.ports["gcp"], gke)
        if own:
            make_own(home, running.ports["gcp"], own)
