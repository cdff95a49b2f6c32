"""The environment in which the unchanged program meets the simulator instead of Google Cloud."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from simulator.binaries import REPOSITORY, Binaries, cache_directory, parse_version
from simulator.home import VARIABLE, Home

_BIN = REPOSITORY / "simulator" / "bin"
_FALLBACK = REPOSITORY / "simulator" / "bin-fallback"


def simulator_variables(
    home: Home,
    binaries: Binaries,
    ports: Mapping[str, int],
    outer: Mapping[str, str] = os.environ,
    managed_port: int | None = None,
) -> dict[str, str]:
    """Return the variables that differ from an ordinary shell's.

    Args:
        home: The simulator's folder.
        binaries: Where the engine is.
        ports: Loopback port of each provider stand-in, by package name.
        outer: The shell's own environment.
        managed_port: Loopback port of the managed endpoints' APIs; None where there are none.

    Returns:
        Variable to value.
    """
    attached = {
        name: port for name, port in ports.items() if name != "kubernetes" or not has_official_kubernetes(outer)
    }
    _link_user_plugins(home, outer)
    return {
        VARIABLE: str(home.root),
        "PATH": search_path(home, binaries, outer),
        "KUBECONFIG": str(home.kubeconfig),
        "PULUMI_HOME": str(home.pulumi_home),
        # Without this the file backend keeps a second file beside each state file and does not write it atomically:
        # an engine killed at that moment leaves a stack that nothing can load.
        "PULUMI_BACKEND_URL": f"{home.backend.as_uri()}?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_DEBUG_PROVIDERS": ",".join(f"{name}:{port}" for name, port in sorted(attached.items())),
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # With what the machine trusts: a cluster's DNS name has a certificate of a public authority on GKE.
        "SSL_CERT_FILE": str(home.authorities),
        **(_managed_variables(managed_port) if managed_port else {}),
    }


def _managed_variables(port: int) -> dict[str, str]:
    """What sends the program's own Vertex client, and google-genai's clients, to the loopback APIs.

    The first two are the program's: infra/vertex/clients.py and session.py read them.
    """
    address = f"http://127.0.0.1:{port}"
    return {
        "SERVESTACK_VERTEX_ADDRESS": address,
        "SERVESTACK_VERTEX_POLL_SECONDS": "0.2",
        "GOOGLE_GEMINI_BASE_URL": address,
        "GOOGLE_VERTEX_BASE_URL": address,
    }


def search_path(home: Home, binaries: Binaries, outer: Mapping[str, str] = os.environ) -> str:
    """Return PATH: our stand-ins first, the engine, the project's own programs, the user's; fallbacks last."""
    folders = [_BIN, *_engine_folder(home, binaries), REPOSITORY / ".venv" / "bin"]
    users = [place for place in outer.get("PATH", os.defpath).split(os.pathsep) if place]
    ours = [str(folder) for folder in folders]
    return os.pathsep.join([*ours, *(place for place in users if place not in {*ours, str(_FALLBACK)}), str(_FALLBACK)])


def _engine_folder(home: Home, binaries: Binaries) -> list[Path]:
    """Return the folder with an engine of our own build; none where the user's own engine is used.

    An official installation has the language host beside `pulumi`, and the engine warns in every run where it
    finds one elsewhere. So our build gets a folder of its own, with our host beside it.
    """
    if cache_directory().resolve() not in binaries.pulumi.resolve().parents:
        return []
    program = home.engine / "pulumi"
    if not program.exists() or program.stat().st_mtime_ns != binaries.pulumi.stat().st_mtime_ns:
        home.engine.mkdir(parents=True, exist_ok=True)
        temporary = program.with_name(f".pulumi-{os.getpid()}")
        temporary.unlink(missing_ok=True)
        try:
            os.link(binaries.pulumi, temporary)
        except OSError:  # another file system
            shutil.copy2(binaries.pulumi, temporary)
        temporary.replace(program)
    for launcher in _FALLBACK.iterdir():
        with contextlib.suppress(FileExistsError):
            (home.engine / launcher.name).symlink_to(launcher)
    return [home.engine]


def _users_pulumi_home(outer: Mapping[str, str]) -> Path:
    return Path(outer.get("PULUMI_HOME") or Path.home() / ".pulumi")


def _link_user_plugins(home: Home, outer: Mapping[str, str]) -> None:
    """Let the engine find the plugins that the user has, without writing to the user's own Pulumi home."""
    plugins = _users_pulumi_home(outer) / "plugins"
    link = home.pulumi_home / "plugins"
    if plugins.is_dir() and not link.exists():
        with contextlib.suppress(FileExistsError):
            link.symlink_to(plugins)


def has_official_kubernetes(outer: Mapping[str, str] = os.environ) -> bool:
    """Whether the official Kubernetes plugin is installed, in a version that the installed SDK can use."""
    if shutil.which("pulumi-resource-kubernetes", path=outer.get("PATH")):
        return True
    found = [
        parse_version(folder.name.partition("-v")[2])
        for folder in (_users_pulumi_home(outer) / "plugins").glob("resource-kubernetes-v*")
        if folder.is_dir()
    ]
    if not found:
        return False
    wanted = parse_version(metadata.version("pulumi-kubernetes")) or ()
    return any(version and version[0] == wanted[0] and version >= wanted for version in found)
