"""Text of a systemd user unit and of a launchd agent. Both run our supervisor, and hold no secret."""

from __future__ import annotations

from pathlib import PurePath
from xml.sax.saxutils import escape


def unit_name(stack: str) -> str:
    """Of systemd."""
    return f"servestack-{stack}.service"


def label(stack: str) -> str:
    """Of launchd."""
    return f"dev.servestack.{stack}"


def systemd_unit(stack: str, python: str, package_root: PurePath, folder: PurePath) -> str:
    """A user unit.

    Args:
        stack: its name.
        python: interpreter that runs the supervisor.
        package_root: folder in which the package `infra` is.
        folder: of the service.
    """
    words = " ".join(
        _systemd_word(word).replace("$", "$$") for word in (python, "-m", "infra.local.supervisor", str(folder))
    )
    return f"""[Unit]
Description=Servestack {stack}
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
Type=exec
ExecStart={words}
Environment={_systemd_word(f"PYTHONPATH={package_root}")}
KillMode=mixed
TimeoutStopSec=30
Restart=on-failure
RestartSec=2
NoNewPrivileges=yes
UMask=0077

[Install]
WantedBy=default.target
"""


def launchd_agent(stack: str, python: str, package_root: PurePath, folder: PurePath) -> str:
    """A property list of launchd; arguments as of `systemd_unit`."""
    words = "\n".join(f"    <string>{escape(word)}</string>" for word in (python, "-m", "infra.local.supervisor"))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>{escape(label(stack))}</string>
  <key>ProgramArguments</key>
  <array>
{words}
    <string>{escape(str(folder))}</string>
  </array>
  <key>EnvironmentVariables</key>
  <dict>
    <key>PYTHONPATH</key>
    <string>{escape(str(package_root))}</string>
  </dict>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ThrottleInterval</key>
  <integer>2</integer>
  <key>ExitTimeOut</key>
  <integer>30</integer>
  <key>Umask</key>
  <integer>63</integer>
  <key>ProcessType</key>
  <string>Interactive</string>
</dict>
</plist>
"""


def _systemd_word(word: str) -> str:
    """One word as systemd reads it (systemd.syntax(7)): in quotes; `%` stands for itself doubled."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
