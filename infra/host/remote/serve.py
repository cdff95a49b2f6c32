"""The one process that launchd keeps: it runs the engine as its child, the gateway before it, and turns its log over.

    python -m infra.host.remote.serve FOLDER -- ENGINE ARGUMENT...

The folder has `service.json` and `key`. The engine's own key is made at each start, and no caller has it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infra.host.remote.gateway import Gateway, Wanted

KEY_VARIABLE = "MLX_VLM_SERVER_API_KEY"
_KILL_SECONDS = 10
_LONGEST_LINE = 2**16


class Log:
    """A file that is turned over when it is full; secrets in it are blacked out."""

    def __init__(self, path: Path, most_bytes: int, files: int, secret: Sequence[str]) -> None:
        self._path, self._most_bytes, self._files = path, most_bytes, files
        self._secret = [one.encode() for one in secret]
        self._file = path.open("ab")

    def write(self, line: bytes) -> None:
        """Add a line, in a new file where this one is full."""
        for one in self._secret:
            line = line.replace(one, b"[key]")
        if self._file.tell() + len(line) > self._most_bytes and self._file.tell():
            self._file.close()
            for number in range(self._files - 1, 0, -1):
                older = self._path.with_name(f"{self._path.name}.{number - 1}") if number > 1 else self._path
                if older.exists():
                    older.replace(self._path.with_name(f"{self._path.name}.{number}"))
            self._file = self._path.open("wb" if self._files == 1 else "ab")
        self._file.write(line)
        self._file.flush()


def interface_address(name: str) -> str:
    """IPv4 address of an interface; loopback for none.

    Raises:
        OSError: it has none.
    """
    if not name:
        return "127.0.0.1"
    asked = subprocess.run(["ipconfig", "getifaddr", name], capture_output=True, text=True, check=False)
    address = asked.stdout.strip()
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3}){3}", address):
        raise OSError(f"the interface {name} has no IPv4 address")
    return address


async def run(folder: Path, engine: Sequence[str]) -> int:
    """Serve until told to stop; an exit status that is not 0 makes launchd start this again."""
    known: dict[str, Any] = json.loads((folder / "service.json").read_text(encoding="utf-8"))
    key = (folder / "key").read_text(encoding="utf-8").strip()
    engine_key = secrets.token_hex(32)
    if len(key) < 32:
        raise OSError(f"{folder / 'key'} holds no key")
    log = Log(folder / "server.log", known["log_bytes"], known["log_files"], (key, engine_key))
    stopping = asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, stopping.set)
    try:
        gateway = Gateway(Wanted(known["model"], frozenset(known["inputs"]), known["engine_port"], key, engine_key))
        server = await gateway.serve(interface_address(known["interface"]), known["port"])
        # Not the whole environment: what launchd gives, and what the plan says.
        environment = {name: os.environ[name] for name in ("HOME", "PATH", "TMPDIR", "LANG") if name in os.environ}
        child = await asyncio.create_subprocess_exec(
            *engine,
            cwd=folder,
            env={**environment, **known["environment"], "PYTHONUNBUFFERED": "1", KEY_VARIABLE: engine_key},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as wrong:
        log.write(f"servestack: {wrong}\n".encode())
        _tell(folder, {"state": "failed", "reason": str(wrong)})
        return 1
    _tell(folder, {"state": "running", "pid": os.getpid(), "engine": child.pid})
    pump = asyncio.ensure_future(_pump(child, log))
    ended, stopped = asyncio.ensure_future(child.wait()), asyncio.ensure_future(stopping.wait())
    await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
    server.close()
    if ended.done():
        await pump
        code = ended.result()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        log.write(f"servestack: the engine ended ({how})\n".encode())
        _tell(folder, {"state": "failed", "reason": f"the engine ended ({how})"})
        return 1
    await _drain(gateway, known["drain_seconds"])
    await _end(child)
    stopped.cancel()
    await pump
    _tell(folder, {"state": "stopped"})
    return 0


async def _pump(child: asyncio.subprocess.Process, log: Log) -> None:
    assert child.stdout is not None
    held = b""
    while chunk := await child.stdout.read(_LONGEST_LINE):
        *lines, held = (held + chunk).split(b"\n")
        for line in lines:
            log.write(line + b"\n")
        if len(held) > _LONGEST_LINE:
            log.write(held + b"\n")
            held = b""
    if held:
        log.write(held + b"\n")


async def _drain(gateway: Gateway, most_seconds: int) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + most_seconds
    while gateway.running and loop.time() < deadline:
        await asyncio.sleep(0.05)


async def _end(child: asyncio.subprocess.Process) -> None:
    """End the engine and what it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        try:
            await asyncio.wait_for(asyncio.shield(child.wait()), _KILL_SECONDS)
        except TimeoutError:
            continue
        return


def _tell(folder: Path, status: dict[str, Any]) -> None:
    """What whoever starts the service reads."""
    fresh = folder / "status.json.new"
    fresh.write_text(json.dumps(status), encoding="utf-8")
    fresh.replace(folder / "status.json")


if __name__ == "__main__":
    sys.exit(asyncio.run(run(Path(sys.argv[1]), sys.argv[sys.argv.index("--") + 1 :])))
