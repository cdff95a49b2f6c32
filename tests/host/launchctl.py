"""A stand-in for launchd on Linux: keeps processes running as their property lists say.

As launchd: `bootout` returns before the process has ended, a label that is still there is refused, and a job starts
with a few variables of its own. Jobs are files in `$HOME/.launchd`; a file `gui` there is a session at the screen.
"""

from __future__ import annotations

import os
import plistlib
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

JOBS = Path.home() / ".launchd"
NOT_FOUND, IN_PROGRESS, IO_ERROR = 113, 37, 5


def job(target: str) -> Path:
    return JOBS / target.replace("/", "-")


def keep(plist: str, file: str) -> int:
    """Be the job: run it again whenever it ends, until told to stop."""
    wanted = plistlib.loads(Path(plist).read_bytes())
    stopping = False
    child: subprocess.Popen[bytes] | None = None

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True
        if child is not None:
            child.terminate()

    signal.signal(signal.SIGTERM, stop)
    environment = {"HOME": str(Path.home()), "TMPDIR": os.environ.get("TMPDIR", "/tmp")} | wanted[
        "EnvironmentVariables"
    ]
    environment["PATH"] = f"{Path(__file__).parent}:{environment['PATH']}"
    while not stopping:
        with Path(wanted["StandardOutPath"]).open("ab") as log:
            child = subprocess.Popen(
                wanted["ProgramArguments"],
                cwd=wanted["WorkingDirectory"],
                env=environment,
                umask=wanted["Umask"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while child.poll() is None:
            time.sleep(0.02)
        if not wanted["KeepAlive"]:
            break
        for _ in range(20):  # shorter than its ThrottleInterval
            if not stopping:
                time.sleep(0.05)
    Path(file).unlink(missing_ok=True)
    return 0


def main(words: list[str]) -> int:
    JOBS.mkdir(exist_ok=True)
    match words:
        case ["print", domain] if domain.count("/") == 1:
            there = domain == f"user/{os.getuid()}" or (domain == f"gui/{os.getuid()}" and (JOBS / "gui").exists())
            return 0 if there else NOT_FOUND
        case ["print", target]:
            return 0 if job(target).exists() else NOT_FOUND
        case ["bootstrap", domain, plist]:
            label = plistlib.loads(Path(plist).read_bytes())["Label"]
            file = job(f"{domain}/{label}")
            if file.exists():
                print("Bootstrap failed: 5: Input/output error", file=sys.stderr)
                return IO_ERROR
            file.write_text("")
            keeper = subprocess.Popen(
                [sys.executable, __file__, "keep", plist, str(file)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            file.write_text(str(keeper.pid))
            return 0
        case ["bootout", target]:
            if not job(target).exists():
                return 3
            os.kill(int(job(target).read_text()), signal.SIGTERM)
            return IN_PROGRESS if (JOBS / "slow").exists() else 0
        case ["keep", plist, file]:
            return keep(plist, file)
    return 64


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
