"""Where an endpoint is called, and with which key; what to do where either is not known."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from infra.errors import SpecError
from infra.plan.managed import ManagedPlan
from infra.plan.serving_plan import ServingPlan
from infra.smoke.run import Target
from infra.spec import PlatformSpec

KEY_VARIABLE = "OPENAI_API_KEY"
_PROXY_PORT, _METRICS_PORT = 8090, 8091  # infra/frameworks/proxy.py
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_LARGEST_KEY = 8192
_NO_KEY = "none"  # what the client sends where no key is asked for
_PRINTABLE = re.compile(r"[!-~]+")


def target_of(
    plan: ServingPlan | ManagedPlan,
    platform: PlatformSpec,
    *,
    url: str | None,
    metrics_url: str | None,
    key_file: str | None,
    timeout_seconds: float,
    environment: Mapping[str, str] = os.environ,
) -> Target:
    """Address and key of one endpoint.

    Raises:
        SpecError: either is missing or cannot be right, with the command that gives it.
    """
    base = _address("--url", url) if url else _known_url(plan, platform)
    key = _key(plan, platform, key_file, environment)
    metrics, why = _metrics_url(plan, base, metrics_url)
    same = metrics.rpartition("/")[0] == base.removesuffix("/").removesuffix("/v1")
    return Target(base, key, metrics, why, same and key != _NO_KEY, timeout_seconds)


def _address(option: str, url: str) -> str:
    parts = urlsplit(url)
    try:
        wrong = parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.port == 0
    except ValueError:
        wrong = True
    if wrong or not _PRINTABLE.fullmatch(url):
        raise SpecError(f"{option} must be http://HOST:PORT/v1 or https://HOST/v1, without user or password.")
    return url


def _known_url(plan: ServingPlan | ManagedPlan, platform: PlatformSpec) -> str:
    if isinstance(plan, ManagedPlan):
        if plan.base_url:
            return plan.base_url
        raise SpecError(
            f"{plan.stack}: its address is known after deployment. Run:\n"
            f"  pulumi stack output url -s {plan.stack}\n"
            f"and give it: servestack smoke {plan.stack} --url URL\n"
            f"  with --model as `pulumi stack output requestModel -s {plan.stack}` says"
        )
    if plan.exposure.gateway is not None:
        return plan.exposure.gateway.url
    if platform.host is not None:
        raise SpecError(
            f"{plan.stack} runs on machines of its own. Run what this prints in another shell:\n"
            f"  pulumi stack output tunnelCommand -s {plan.stack}\n"
            f"and give its end of it: servestack smoke {plan.stack} --url http://127.0.0.1:PORT/v1\n"
            f"  or, without a tunnel, the address of: pulumi stack output url -s {plan.stack}"
        )
    what = f"svc/{plan.stack}" if plan.accelerator.nodes > 1 else f"deployment/{plan.stack}"
    forward = f"{_kubectl(plan, platform)} port-forward {what} {_PROXY_PORT} {_METRICS_PORT}"
    raise SpecError(
        f"{plan.stack} is called inside its cluster alone. Run in another shell:\n  {forward}\n"
        f"and then: servestack smoke {plan.stack} --url http://127.0.0.1:{_PROXY_PORT}/v1"
    )


def _kubectl(plan: ServingPlan, platform: PlatformSpec) -> str:
    gke, own = platform.gke, platform.kubernetes
    context = own.context if own else gke.context if gke else ""
    return f"kubectl{f' --context {context}' if context else ''} -n {plan.stack}"


def _key(
    plan: ServingPlan | ManagedPlan, platform: PlatformSpec, key_file: str | None, environment: Mapping[str, str]
) -> str:
    asks = isinstance(plan, ManagedPlan) or plan.access.authentication == "key"
    if key_file:
        try:
            with Path(key_file).open(encoding="utf-8") as file:
                key, whence = file.read(_LARGEST_KEY).strip(), key_file
        except (OSError, UnicodeDecodeError) as error:
            said = error.strerror if isinstance(error, OSError) else "not text"
            raise SpecError(f"--key-file {key_file}: cannot be read: {said}.") from None
    else:
        key, whence = environment.get(KEY_VARIABLE, "").strip(), KEY_VARIABLE
    if not key and not asks:
        return _NO_KEY
    if not key:
        raise SpecError(
            f"no key: set {KEY_VARIABLE}, or name a file with --key-file. To have it:\n"
            f'  export {KEY_VARIABLE}="$({_key_command(plan, platform)})"'
        )
    if not _PRINTABLE.fullmatch(key):
        raise SpecError(f"{whence} holds no key: a key is one word of ASCII.")
    return key


def _key_command(plan: ServingPlan | ManagedPlan, platform: PlatformSpec) -> str:
    if isinstance(plan, ManagedPlan):
        if not plan.calling.key_secret:
            return "gcloud auth print-access-token"
        return f"gcloud secrets versions access latest --secret={plan.calling.key_secret} --project={plan.project}"
    if platform.host is not None:
        return f'eval "$(pulumi stack output keyCommand -s {plan.stack})"'
    return f"{_kubectl(plan, platform)} get secret {plan.access.secret} -o jsonpath='{{.data.current}}' | base64 -d"


def _metrics_url(plan: ServingPlan | ManagedPlan, base: str, named: str | None) -> tuple[str, str]:
    """Address of the metrics, or why there is none: on this machine beside the endpoint, else where it is named."""
    if named:
        return _address("--metrics-url", named), ""
    parts = urlsplit(base)
    if isinstance(plan, ManagedPlan) or parts.hostname not in _LOOPBACK:
        return "", "not reached from here; name them with --metrics-url"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = _METRICS_PORT if parts.port == _PROXY_PORT else parts.port
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}/metrics", ""
