"""A Mac on loopback: OpenSSH's real server, a home folder, a stand-in for launchd, and wheels of a stand-in engine."""

from __future__ import annotations

import base64
import contextlib
import getpass
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PYTHON = Path(os.path.realpath(shutil.which("python3.11") or shutil.which("python3") or "python3"))
HERE = Path(__file__).parent
NAME = "mac-studio"
SERVER = shutil.which("sshd") or next((one for one in ("/usr/sbin/sshd",) if Path(one).exists()), "")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mac:
    """One machine; `ssh_config` is what reaches it by the name `mac-studio`."""

    def __init__(self, folder: Path, hub: str) -> None:
        self.folder, self.home, self.bin = folder, folder / "home", folder / "bin"
        self.wheels, self.locks = folder / "wheels", folder / "locks"
        for one in (self.home, self.bin, self.wheels, self.locks):
            one.mkdir(parents=True)
        self._programs()
        self._wheel()
        self.ssh_config = folder / "ssh_config"
        self._hub, self._port = hub, free_port()
        self._keys()
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def service(self) -> Path:
        return next(iter((self.home / ".servestack" / "services").iterdir()))

    @property
    def key(self) -> str:
        return (self.service / "key").read_text().strip()

    @property
    def starts(self) -> list[list[str]]:
        file = self.home / "starts.log"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def faults(self, **faults: Any) -> None:
        (self.home / "faults.json").write_text(json.dumps(faults))

    def ssh(self, *words: str) -> str:
        done = subprocess.run(
            ["ssh", "-F", str(self.ssh_config), *words], capture_output=True, text=True, check=True, timeout=30
        )
        return done.stdout

    def start(self) -> None:
        """Start OpenSSH's server."""
        (self.folder / "sshd_config").write_text(
            f"Port {self._port}\nListenAddress 127.0.0.1\nHostKey {self.folder}/host\n"
            f"AuthorizedKeysFile {self.folder}/user.pub\nPidFile none\nStrictModes no\nUsePAM no\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n"
            f"SetEnv HOME={self.home} PATH={self.bin}:/usr/bin:/bin HF_ENDPOINT={self._hub} PIP_NO_INDEX=1 "
            f"PIP_FIND_LINKS={self.wheels}\n"
            'ForceCommand cd "$HOME" && exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"\n'
        )
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        self._server = subprocess.Popen(
            [SERVER, "-D", "-e", "-f", str(self.folder / "sshd_config")],
            stdin=subprocess.DEVNULL,
            stderr=(self.folder / "sshd.log").open("wb"),
        )
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=1):
                return
            assert self._server.poll() is None, (self.folder / "sshd.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server, and every job that is left."""
        if self._server is not None:
            self._server.terminate()
            self._server.wait()
            self._server = None

    def end(self) -> None:
        """Stop everything."""
        self.stop()
        jobs = self.home / ".launchd"
        for job in jobs.iterdir() if jobs.exists() else ():
            with contextlib.suppress(ValueError, OSError):
                os.kill(int(job.read_text()), signal.SIGTERM)
        deadline = time.monotonic() + 30
        while jobs.exists() and any(one.name.startswith("user-") for one in jobs.iterdir()):
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def new_host_key(self) -> None:
        """Be another machine from now on."""
        for name in ("host", "host.pub"):
            (self.folder / name).unlink()
        self._make_key("host")

    def lacks_python(self) -> None:
        for one in self.bin.glob("python3*"):
            one.unlink()
        for minor in (11, 12, 13):
            self._program(f"python3.{minor}", "#!/bin/sh\nexit 127\n")
        self._program("python3", "#!/bin/sh\nexit 1\n")

    def _programs(self) -> None:
        (self.bin / "python3.11").symlink_to(PYTHON)
        self._program("python3.12", "#!/bin/sh\nexit 127\n")
        self._program("python3.13", "#!/bin/sh\nexit 127\n")
        shutil.copy(HERE / "launchctl.py", self.bin / "launchctl.py")
        self._program("launchctl", f'#!/bin/sh\nexec "{PYTHON}" "{self.bin}/launchctl.py" "$@"\n')
        self._program("ipconfig", '#!/bin/sh\n[ "$*" = "getifaddr en0" ] && echo 127.0.0.2\n')

    def _program(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def _wheel(self) -> None:
        name = "mlx_vlm-0.7.10"
        texts = {
            "mlx_vlm/__init__.py": "",
            "mlx_vlm/server.py": (HERE / "standin_engine.py").read_text(),
            f"{name}.dist-info/METADATA": "Metadata-Version: 2.1\nName: mlx-vlm\nVersion: 0.7.10\n",
            f"{name}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = f"{name}.dist-info/RECORD"
        sums = {
            path: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            for path, text in texts.items()
        }
        lines = [f"{path},sha256={sums[path]},{len(text.encode())}" for path, text in texts.items()]
        texts[record] = "\n".join([*lines, f"{record},,", ""])
        wheel = self.wheels / f"{name}-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as file:
            for path, text in texts.items():
                file.writestr(path, text)
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        (self.locks / "mlx-vlm-0.7.10.txt").write_text(f"mlx-vlm==0.7.10 \\\n    --hash=sha256:{digest}\n")

    def _keys(self) -> None:
        for name in ("host", "user"):
            self._make_key(name)
        host = (self.folder / "host.pub").read_text()
        (self.folder / "known_hosts").write_text(f"[127.0.0.1]:{self._port} {host}")
        self.ssh_config.write_text(
            f"Host {NAME} mac-mini\n  HostName 127.0.0.1\n  Port {self._port}\n  User {getpass.getuser()}\n"
            f"  IdentityFile {self.folder}/user\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {self.folder}/known_hosts\n  GlobalKnownHostsFile /dev/null\n"
            "  StrictHostKeyChecking yes\nHost stranger\n  HostName 127.0.0.1\n  "
            f"Port {self._port}\n  UserKnownHostsFile /dev/null\nHost nobody\n  HostName 127.0.0.1\n  Port 1\n"
        )

    def _make_key(self, name: str) -> None:
        file = self.folder / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(file)], check=True)


@contextlib.contextmanager
def mac(folder: Path, hub: str) -> Iterator[Mac]:
    if not SERVER or not shutil.which("ssh-keygen"):
        pytest.skip("no OpenSSH server here: apt-get install openssh-server")
    made = Mac(folder, hub)
    made.start()
    try:
        yield made
    finally:
        made.end()
