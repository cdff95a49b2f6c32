"""The kubeconfig of whoever runs this: one context of it, and nothing of the others."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from infra.errors import PlatformError, nearest

_SECTIONS = {"contexts": "context", "clusters": "cluster", "users": "user"}
# What may be a file beside the kubeconfig (client-go, tools/clientcmd: paths are relative to the file that has them).
_FILES = {"clusters": ("certificate-authority",), "users": ("client-certificate", "client-key", "tokenFile")}
_LARGEST_BYTES = 1_000_000
Entry = dict[str, Any]


def one_context(context: str, environment: Mapping[str, str] = os.environ) -> Entry:
    """A kubeconfig that holds the named context alone, with its cluster and its user.

    Files of `KUBECONFIG`, else `~/.kube/config`; of entries with one name the first counts, as for kubectl. A file
    that is not there is left out.

    Raises:
        PlatformError: no such context, with the nearest ones; or a file or an entry that cannot be used.
    """
    named = [one for one in environment.get("KUBECONFIG", "").split(os.pathsep) if one]
    files = [Path(one).expanduser() for one in named] or [
        Path(environment.get("HOME") or "~", ".kube", "config").expanduser()
    ]
    entries: dict[str, dict[str, Entry]] = {section: {} for section in _SECTIONS}
    for file in files:
        for section, found in _read(file).items():
            entries[section] = found | entries[section]
    where = os.pathsep.join(map(str, files))
    if context not in entries["contexts"]:
        known = nearest(context, entries["contexts"])
        raise PlatformError(f"kubeconfig {where} has no context '{context}'. {known}")
    chosen = entries["contexts"][context]
    cluster, user = str(chosen.get("cluster")), str(chosen.get("user") or "")
    if cluster not in entries["clusters"]:
        raise PlatformError(f"kubeconfig {where}: context '{context}' names cluster '{cluster}', which it has not.")
    if user and user not in entries["users"]:
        raise PlatformError(f"kubeconfig {where}: context '{context}' names user '{user}', which it has not.")
    users = [{"name": user, "user": entries["users"][user]}] if user else []
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "contexts": [{"name": context, "context": {"cluster": cluster, **({"user": user} if user else {})}}],
        "clusters": [{"name": cluster, "cluster": entries["clusters"][cluster]}],
        "users": users,
    }


def text_of(config: Entry) -> str:
    """The same text for the same content."""
    return json.dumps(config, sort_keys=True)


def _read(file: Path) -> dict[str, dict[str, Entry]]:
    try:
        if file.stat().st_size > _LARGEST_BYTES:
            raise PlatformError(f"kubeconfig {file} is larger than {_LARGEST_BYTES:,} bytes.")
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        kind = type(error).__name__  # its text could repeat a secret
        raise PlatformError(f"kubeconfig {file} cannot be read: {kind}.") from None
    if not isinstance(data, dict):
        return {}
    found: dict[str, dict[str, Entry]] = {}
    for section, inner in _SECTIONS.items():
        found[section] = {}
        for one in data.get(section) or []:
            if isinstance(one, dict) and isinstance(one.get(inner), dict):
                entry = _absolute(one[inner], section, file.parent)
                found[section].setdefault(str(one.get("name")), entry)
    return found


def _absolute(entry: Entry, section: str, folder: Path) -> Entry:
    """The entry with files by their whole paths; so is a credential plugin that is named by a path."""
    moved: Entry = {
        key: str((folder / str(entry[key])).absolute()) for key in _FILES.get(section, ()) if entry.get(key)
    }
    plugin = entry.get("exec")
    if isinstance(plugin, dict) and os.sep in str(plugin.get("command", "")):
        moved["exec"] = {**plugin, "command": str((folder / str(plugin["command"])).absolute())}
    return {**entry, **moved}
