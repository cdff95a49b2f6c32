"""What is done on the machine: bring a service up, look at it, take it down. Each can be run again at any time.

It comes over the standard input of `python3`, with what is wanted as data, and answers one line of JSON.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import os
import secrets
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from infra.host.remote import environment, launchd, serve, weights
from infra.host.remote.failures import HostError, last_lines

ROOT = ".servestack"
_LOCK_SECONDS, _POLL_SECONDS, _STOP_SLACK_SECONDS = 600, 0.1, 25
_PACKAGE = "mlx_vlm"


class Machine:
    """One service on this machine.

    Attributes:
        wanted: fields of `infra.host.service.Service`, and `lock_text` and `program` (texts by path).
    """

    def __init__(self, wanted: dict[str, Any]) -> None:
        self.wanted = wanted
        self.stack: str = wanted["stack"]
        self.root = Path.home() / ROOT
        self.folder = self.root / "services" / self.stack
        self.venv = self.folder / "venv"

    def up(self) -> dict[str, Any]:
        """Have it run as wanted, and healthy; one that does already is left alone."""
        self._make_folders()
        fresh = environment.ensure(self.venv, self.wanted["lock_text"], _PACKAGE, self.wanted["version"])
        for one in self.wanted["weights"]:
            weights.fetch(one["repository"], one["revision"], self._weights(one))
        self._make_key()
        if fresh or not (self._is_written() and launchd.is_loaded(self.stack) and self._is_healthy()):
            self._restart()
        return self._found()

    def look(self) -> dict[str, Any]:
        """What runs; `{"there": false}` where nothing does or it does not get healthy."""
        if launchd.written(self.stack) is None or not launchd.is_loaded(self.stack):
            return {"there": False}
        deadline = time.monotonic() + min(self.wanted["start_seconds"], 20)
        while not self._is_healthy():  # one that crashed is started again by launchd
            if time.monotonic() > deadline:
                return {"there": False}
            time.sleep(_POLL_SECONDS)
        return self._found()

    def down(self) -> dict[str, Any]:
        """Stop it and remove it; weights stay, unless they were not to be kept and no other service has them."""
        launchd.stop(self.stack, self._stop_seconds)
        shutil.rmtree(self.folder, ignore_errors=True)
        if not self.wanted["keep_weights"]:
            used = self._used_by_others()
            for one in self.wanted["weights"]:
                if str(self._weights(one)) not in used:
                    shutil.rmtree(self._weights(one), ignore_errors=True)
        for folder in (*(self._weights(one).parent for one in self.wanted["weights"]), self.root / "weights"):
            with contextlib.suppress(OSError):
                folder.rmdir()
        return {"there": False}

    @property
    def _stop_seconds(self) -> int:
        return int(self.wanted["drain_seconds"]) + _STOP_SLACK_SECONDS

    def _weights(self, one: dict[str, str]) -> Path:
        return self.root / "weights" / one["repository"].replace("/", "--") / one["revision"]

    def _used_by_others(self) -> set[str]:
        found = set()
        for file in self.folder.parent.glob("*/service.json"):
            found |= set(json.loads(file.read_text(encoding="utf-8"))["weights"])
        return found

    def _make_folders(self) -> None:
        for one in (self.root, self.root / "services", self.folder):
            one.mkdir(exist_ok=True, mode=0o700)
            one.chmod(0o700)

    def _make_key(self) -> None:
        file = self.folder / "key"
        if file.is_file() and file.read_text(encoding="utf-8").strip():
            file.chmod(0o600)
            return
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as made:
            made.write(f"{secrets.token_hex(32)}\n")

    def _agent(self) -> dict[str, Any]:
        python = str(self.venv / "bin" / "python")
        words = [python, "-m", "infra.host.remote.serve", str(self.folder), "--", python, *self.wanted["arguments"]]
        return launchd.agent(self.stack, self.folder, words, self._stop_seconds)

    def _files(self) -> dict[str, str]:
        """Texts by path below the folder: all that decides how the service behaves, beside the property list."""
        names = ("model", "inputs", "port", "engine_port", "interface", "drain_seconds", "log_bytes", "log_files")
        known = {name: self.wanted[name] for name in names}
        known["environment"] = dict(self.wanted["environment"])
        known["weights"] = [str(self._weights(one)) for one in self.wanted["weights"]]
        known["lock"] = self.wanted["lock"]
        return {f"program/{name}": text for name, text in self.wanted["program"].items()} | {
            "service.json": json.dumps(known, indent=1, sort_keys=True)
        }

    def _is_written(self) -> bool:
        return launchd.written(self.stack) == self._agent() and all(
            (self.folder / name).is_file() and (self.folder / name).read_text(encoding="utf-8") == text
            for name, text in self._files().items()
        )

    def _restart(self) -> None:
        launchd.stop(self.stack, self._stop_seconds)
        for name, text in self._files().items():
            file = self.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        for one in self.wanted["weights"]:
            link = self.folder / one["name"]
            link.unlink(missing_ok=True)
            link.symlink_to(self._weights(one))
        self._check_ports()
        for name in ("status.json", "launchd.log"):
            (self.folder / name).unlink(missing_ok=True)
        log = self.folder / "server.log"
        before = log.stat().st_size if log.exists() else 0
        try:
            launchd.start(self.stack, self._agent())
            self._wait(before)
        except BaseException:
            launchd.stop(self.stack, self._stop_seconds)
            raise

    def _check_ports(self) -> None:
        """A port may be taken although it can be bound: macOS lets a narrower address share it."""
        for host, port in ((self._address(), self.wanted["port"]), ("127.0.0.1", self.wanted["engine_port"])):
            with socket.socket() as probe:
                probe.settimeout(5)
                if probe.connect_ex((host, port)) == 0:
                    raise HostError(_taken(host, port, "somebody answers there"))
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((host, port))
                except OSError as wrong:
                    raise HostError(_taken(host, port, str(wrong.strerror))) from None

    def _address(self) -> str:
        try:
            return serve.interface_address(self.wanted["interface"])
        except OSError as wrong:
            raise HostError(f"{wrong}. Its interfaces: ifconfig -l") from None

    def _wait(self, before: int) -> None:
        deadline = time.monotonic() + self.wanted["start_seconds"]
        while not self._is_healthy():
            status = self._status()
            if status.get("state") == "failed":
                raise HostError(f"the service died at its start: {status['reason']}.{self._said(before)}")
            if time.monotonic() > deadline:
                raise HostError(
                    f"the service was not healthy within {self.wanted['start_seconds']} s. Raise startupTimeoutSeconds "
                    f"if it only needs longer.{self._said(before)}"
                )
            time.sleep(_POLL_SECONDS)

    def _status(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self.folder / "status.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found

    def _said(self, before: int) -> str:
        log = self.folder / "server.log"
        said = log.read_bytes()[before:] if log.exists() else b""
        other = self.folder / "launchd.log"
        return last_lines((said or (other.read_bytes() if other.exists() else b"")).decode(errors="replace"))

    def _is_healthy(self) -> bool:
        """Asked as a caller would: through the gateway, with the key; it looks at the loaded model too."""
        try:
            key = (self.folder / "key").read_text(encoding="utf-8").strip()
            link = http.client.HTTPConnection(self._address(), self.wanted["port"], timeout=15)
            with contextlib.closing(link):
                link.request("GET", "/health", headers={"Authorization": f"Bearer {key}"})
                answer = link.getresponse()
                return answer.status == 200 and json.loads(answer.read()).get("model") == self.wanted["model"]
        except (OSError, ValueError, http.client.HTTPException):
            return False

    def _found(self) -> dict[str, Any]:
        """What is there: the words of the property list, not those that were wanted."""
        words: list[str] = (launchd.written(self.stack) or {}).get("ProgramArguments", [])
        begin = words.index("--") + 2 if "--" in words else 0
        texts = {
            name: (self.folder / name).read_text(encoding="utf-8") if (self.folder / name).is_file() else ""
            for name in self._files()
        }
        return {
            "there": True,
            "arguments": words[begin:],
            "version": environment.version_of(self.venv, _PACKAGE),
            "lock": environment.lock_of(self.venv),
            "altered": sorted(name for name, text in self._files().items() if texts[name] != text),
            "host": self._address(),
            "folder": str(self.folder),
        }


def _taken(host: str, port: int, why: str) -> str:
    return f"port {port} of {host} is not free ({why}). See who has it: lsof -nP -iTCP:{port} -sTCP:LISTEN"


@contextlib.contextmanager
def _locked(root: Path) -> Iterator[None]:
    """One run at a time on a machine: one whose connection broke may still be at work."""
    root.mkdir(exist_ok=True, mode=0o700)
    with (root / "lock").open("w") as held:
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise HostError("another run is at work on this machine; wait for its end.") from None
                time.sleep(_POLL_SECONDS)
        yield


def main(order: str, wanted: dict[str, Any]) -> None:
    """Do it, and answer."""
    os.umask(0o077)
    machine = Machine(wanted)
    orders: dict[str, Callable[[], dict[str, Any]]] = {
        "up": machine.up,
        "look": machine.look,
        "down": machine.down,
    }
    try:
        with _locked(machine.root):
            answer = orders[order]()
    except HostError as wrong:
        answer = {"error": str(wrong)}
    except OSError as wrong:
        full = "disk full: " if wrong.errno == 28 else ""
        answer = {"error": f"{full}{wrong.strerror or wrong}: {wrong.filename or machine.folder}"}
    print(json.dumps(answer), flush=True)
    sys.exit(0)
