"""The real engine on a program of one file, with one of our stand-ins attached."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from simulator.binaries import Binaries

Pulumi = Callable[..., subprocess.CompletedProcess[str]]


def small_program(folder: Path, binaries: Binaries, program: str, provider: str, port: int) -> Pulumi:
    """Return what runs the CLI on stack `s`, which is there then.

    Args:
        folder: an empty one.
        binaries: where the engine is.
        program: text of the program.
        provider: package whose plugin the stand-in stands for.
        port: where the stand-in listens.
    """
    project, backend = folder / "project", folder / "backend"
    project.mkdir()
    backend.mkdir()
    (project / "Pulumi.yaml").write_text("name: p\nruntime: python\n")
    (project / "__main__.py").write_text(program)
    fallback = Path(__file__).parents[2] / "simulator" / "bin-fallback"
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(binaries.pulumi.parent), os.environ["PATH"], str(fallback)]),
        "PULUMI_BACKEND_URL": backend.as_uri(),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_DEBUG_PROVIDERS": f"{provider}:{port}",
    }

    def run(*arguments: str, succeeds: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(binaries.pulumi), *arguments, "--stack=s", "--color=never", "--non-interactive"],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode == 0) is succeeds, done.stdout + done.stderr
        return done

    run("stack", "init")
    return run
