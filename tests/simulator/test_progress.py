from __future__ import annotations

import io
import os
import pty
import subprocess
import sys

import pytest

from simulator import progress

SHOW = """
import sys, threading
from simulator import progress
with progress.step("Building something whose name is rather long for a line", sys.stdout) as step:
    step.detail = "a detail that is far too long to fit into eighty columns of a terminal"
    threading.Event().wait(0.35)
"""


def on_terminal(**environment: str) -> str:
    """What the step writes to a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", SHOW], stdout=theirs, env={**os.environ, "TERM": "xterm", **environment}
    )
    os.close(theirs)
    written = b""
    try:
        while chunk := os.read(ours, 4096):
            written += chunk
    except OSError:  # the other side is closed
        pass
    process.wait()
    os.close(ours)
    return written.decode()


def test_plain_output_is_a_line_at_the_start_and_one_at_the_end():
    stream = io.StringIO()
    with progress.step("Building", stream):
        pass
    first, last = stream.getvalue().splitlines()
    assert first == "Building ..."
    assert last == "Building: done in 0.0 s"


def test_plain_output_of_a_long_step_has_heartbeats(monkeypatch, until):
    monkeypatch.setattr(progress, "HEARTBEAT_SECONDS", 0.01)
    stream = io.StringIO()
    with progress.step("Building", stream) as step:
        step.detail = "7 packages"
        until(lambda: "so far, 7 packages" in stream.getvalue())


def test_failure_is_said_with_its_time():
    stream = io.StringIO()
    with pytest.raises(ValueError, match="no"), progress.step("Building", stream):
        raise ValueError("no")
    assert stream.getvalue().splitlines()[-1] == "Building: failed after 0.0 s"


def test_terminal_line_moves_and_fits_80_columns():
    written = on_terminal()
    frames = [frame for frame in written.split("\r") if frame and not frame.startswith("\033")]
    assert len({frame[0] for frame in frames if frame.strip()}) >= 2
    assert max(len(frame.rstrip("\n")) for frame in frames) < 80
    assert "\033[32m" in written


def test_no_color_is_honoured():
    assert "\033[3" not in on_terminal(NO_COLOR="1")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (9.94, "9.9 s"), (41.2, "41 s"), (59.9, "60 s"), (326, "5 min 26 s")]
)
def test_durations_are_short(seconds, text):
    assert progress.duration(seconds) == text
