"""The whole life of a service on a Mac, from stack file to answers, under the real engine and OpenSSH's real server."""

from __future__ import annotations

import json
import stat
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.host.hub import REVISION, Hub
from tests.host.mac import NAME, Mac
from tests.host.project import STACK, HostProject

MODEL = "gemma-4-e4b-it"


def call(url: str, key: str, body: dict[str, Any] | None = None) -> tuple[int, str]:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as wrong:
        return wrong.code, wrong.read().decode()


def ask(words: str = "capital of France?", **more: Any) -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": words}], **more}


def everything(folder: Path) -> list[Path]:
    return [one for one in folder.rglob("*") if one.is_file() and not one.is_symlink()]


def test_up_answers_no_change_restart_in_place_and_destroy(project: HostProject, mac: Mac, hub: Hub) -> None:
    assert project.changes() == {"create": 1}
    assert not mac.starts
    project.up()
    told = project.outputs()
    url, key = told["url"], mac.key
    # Without a tunnel: the loopback of this machine is that of the Mac.
    assert call(f"{url}/models", key)[0] == 200
    status, said = call(f"{url}/chat/completions", key, ask())
    assert (status, json.loads(said)["choices"][0]["message"]["content"]) == (200, "Paris.")
    assert call(f"{url}/chat/completions", "x" * 64, ask())[0] == 401
    assert call(f"{url}/chat/completions", key, ask(model="mlx-community/other"))[0] == 404
    assert call(url.replace("/v1", "/health"), key)[0] == 200
    assert mac.ssh(*told["keyCommand"].split()[1:]).strip() == key
    assert told["tunnelCommand"].endswith(f" {NAME}")
    assert told["model"] == MODEL
    assert project.changes() == {}
    project.up()
    project.refresh()
    assert project.changes() == {}
    assert len(mac.starts) == 1

    project.want(startupTimeoutSeconds=77)  # nothing that runs knows it
    assert project.changes() == {"update": 1}
    project.up()
    assert len(mac.starts) == 1

    project.want(contextLength=8192)
    assert project.changes() == {"update": 1}
    project.up()
    assert len(mac.starts) == 2
    assert "--max-kv-size=8192" in mac.starts[1]
    assert mac.key == key
    status, said = call(f"{url}/chat/completions", key, ask("word " * 8000, max_tokens=500))
    assert status == 400
    assert "8192" in said

    assert stat.S_IMODE((mac.service / "key").stat().st_mode) == 0o600
    assert stat.S_IMODE(mac.service.stat().st_mode) == 0o700
    _nowhere(key, project, mac)
    weights = mac.home / ".servestack" / "weights" / "mlx-community--gemma-4-e4b-it-8bit" / REVISION
    project.destroy()
    kept = [one for one in everything(mac.home / ".servestack") if weights not in one.parents]
    assert [one.name for one in kept] == ["lock"]
    assert (weights / "model.safetensors").read_bytes() == hub.files["model.safetensors"]
    assert not list((mac.home / "Library" / "LaunchAgents").iterdir())
    assert not list((mac.home / ".launchd").iterdir())
    with pytest.raises(OSError, match="refused"):
        call(url, key)

    hub.requests.clear()
    project.want({"address": NAME, "keepWeights": False})
    project.up()
    assert not hub.requests
    assert mac.key != key
    project.destroy()
    assert not (mac.home / ".servestack" / "weights").exists()


def _nowhere(key: str, project: HostProject, mac: Mac) -> None:
    """The key is in its own file, and in no other, no argument of a process, no state and no output."""
    project.pulumi("stack", "export", "--show-secrets")
    assert key not in project.said
    holders = [one for folder in (mac.home, project.folder, project.backend) for one in everything(folder)]
    assert [one for one in holders if key.encode() in one.read_bytes()] == [mac.service / "key"]
    processes = subprocess.run(["ps", "-eo", "args", "-ww"], capture_output=True, text=True, check=True).stdout
    assert key not in processes


def test_drift_is_seen_by_refresh_and_taken_back(project: HostProject, mac: Mac) -> None:
    project.up()
    # The service is gone.
    mac.ssh(NAME, f"launchctl bootout user/$(id -u)/dev.servestack.{STACK}")
    project.refresh()
    assert not project.services()
    assert project.changes() == {"create": 1}
    project.up()
    assert len(mac.starts) == 2

    # Other arguments.
    plist = mac.home / "Library" / "LaunchAgents" / f"dev.servestack.{STACK}.plist"
    plist.write_bytes(plist.read_bytes().replace(b"--max-kv-size=32768", b"--max-kv-size=99999"))
    project.refresh()
    assert "--max-kv-size=99999" in project.services()[0]["inputs"]["arguments"]
    assert project.changes() == {"update": 1}
    project.up()
    assert b"--max-kv-size=32768" in plist.read_bytes()

    # Another version of the engine.
    info = next(mac.service.glob("venv/lib/python3*/site-packages/mlx_vlm-*.dist-info"))
    info.rename(info.with_name("mlx_vlm-0.7.9.dist-info"))
    project.refresh()
    assert project.services()[0]["inputs"]["version"] == "0.7.9"
    assert project.changes() == {"update": 1}

    # A gateway that somebody opened.
    project.up()
    program = mac.service / "program" / "infra" / "host" / "remote" / "limits.py"
    program.write_text("# nothing is refused\n")
    project.refresh()
    assert project.changes() == {"update": 1}
    project.up()
    assert "RefusedRequestError" in program.read_text()
    project.refresh()
    assert project.changes() == {}
    project.destroy()


def test_two_macs_are_two_services_with_their_own_ends_of_tunnels(project: HostProject, mac: Mac) -> None:
    # Both names lead to one machine, on which the second finds what the first made: what is told is what counts here.
    project.want({"addresses": [NAME, "mac-mini"]}, replicas={"min": 2})
    assert project.changes() == {"create": 2}
    project.up()
    told = project.outputs()
    assert [one.split()[-1] for one in told["tunnelCommands"]] == [NAME, "mac-mini"]
    assert len({one.split()[5].split(":")[1] for one in told["tunnelCommands"]}) == 2
    assert len(set(told["urls"])) == 2
    project.want({"addresses": [NAME, "mac-mini"]})
    assert project.changes() == {"delete": 1}


def test_a_named_interface_and_a_reverse_proxy_are_what_callers_are_told(project: HostProject, mac: Mac) -> None:
    project.want({"address": NAME, "interface": "en0"})
    project.up()
    told = project.outputs()
    assert told["url"].startswith("http://127.0.0.2:")
    assert "tunnelCommand" not in told
    assert call(f"{told['url']}/models", mac.key)[0] == 200
    with pytest.raises(OSError, match="refused"):
        call(told["url"].replace("127.0.0.2", "127.0.0.1"), mac.key)
    project.want({"address": NAME, "interface": "en7"})
    assert "the interface en7 has no IPv4 address" in project.up(succeeds=False)
    project.want({"address": NAME, "reverseProxy": "https://mlx.example.com"})
    project.up()
    assert project.outputs()["url"] == "https://mlx.example.com/v1"
    project.destroy()
