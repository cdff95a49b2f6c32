"""What valid stack files say of where they run, read as plain YAML."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from simulator import supervisor
from simulator.home import Home

_NAME = r"[a-z][a-z0-9-]{1,39}"
_ON_MACHINES = {"host", "local"}


class StackContents:
    """The stack files of one folder."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; files are read when they are asked for."""
        self.folder = folder

    def content(self, name: str) -> dict[str, Any]:
        """What a file says; nothing of one that is no YAML mapping or has no stack's name, which `validate` refuses."""
        if not re.fullmatch(_NAME, name):
            return {}
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

    def needs_cloud(self, name: str) -> bool:
        """Whether a stack is on, or is, a platform that is simulated: all but machines that are there."""
        return self.kind(name) != "machine"

    def has_pods(self, name: str) -> bool:
        """Whether a stack is an endpoint on a cluster, whose pods may say why it does not serve."""
        return self.kind(name) == "endpoint"

    def adopt(self, home: Home, platform: str) -> list[str]:
        """See that the cluster is there that a platform does not make itself; what was made for that, in words."""
        content, running = self.content(platform), supervisor.find(home)
        gke, own, said = content.get("gke"), content.get("kubernetes"), []
        if running is None:
            return []
        from simulator.adopted_cluster import make_adopted
        from simulator.own_cluster import make_own

        if gke and not gke["cluster"].get("create", True) and make_adopted(running.ports["gcp"], gke):
            name = gke["cluster"]["name"]
            said.append(f"The platform {platform} adopts cluster '{name}'; the simulator has made one for it.")
        if own and make_own(home, running.ports["gcp"], own):
            context = own["context"]
            said.append(f"The platform {platform} is context '{context}'; the simulator has made a cluster for it.")
        return said
