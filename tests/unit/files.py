"""Stack files held in memory, for tests of the pure pipeline."""

from __future__ import annotations

from infra.errors import SpecError

PLATFORM = """\
apiVersion: servestack/v1
kind: Platform
gke: {project: servestack-dev, location: us-central1, cluster: {name: dev}, deletionProtection: false}
"""
CLOUD = "apiVersion: servestack/v1\nkind: Platform\ngoogle: {project: servestack-dev, location: us-central1}\n"
HOST = "apiVersion: servestack/v1\nkind: Platform\nhost: {address: studio.lan, memoryGiB: 64}\n"


class Files:
    lock: str | None = None

    def __init__(self, **texts: str) -> None:
        self.texts = {"dev": PLATFORM} | {name.replace("_", "-"): text for name, text in texts.items()}

    def names(self) -> list[str]:
        return sorted(self.texts)

    def path(self, name: str) -> str:
        return f"stacks/{name}.yaml"

    def text(self, name: str) -> str:
        if name not in self.texts:
            raise SpecError(f"no stack {name}")
        return self.texts[name]

    def lock_text(self) -> str | None:
        return self.lock


# What a stack file must say of some frameworks.
ENGINES = {
    "nim": "engine: {registrySecret: ngc-registry, apiKeySecret: ngc-key}",
    "trtllm": "engine: {channel: experimental}",
}


def endpoint(model: str, accelerator: str, framework: str = "vllm", *more: str) -> str:
    head = f"apiVersion: servestack/v1\nkind: Endpoint\nplatform: dev\nmodel: {model}\n"
    return head + f"accelerator: {accelerator}\nframework: {framework}\n" + "".join(f"{line}\n" for line in more)
