"""Who may call an endpoint: a key unless the stack file gives a reason for none."""

from __future__ import annotations

from dataclasses import dataclass

from infra.catalog.proxy import Proxy
from infra.plan.synced_secrets import keys_secret, secret_name
from infra.spec import Expose

_KEY = "engines leave paths open that start work, and a label on a pod is no proof of who calls"


@dataclass(frozen=True)
class Access:
    """Who may call the endpoint.

    Attributes:
        authentication: `key` or `none`.
        secret: name of the Secret in the endpoint's namespace that holds the keys; empty with `none`.
        why: the reason of either.
        proxy_image: image of the proxy that stands before the engine.
        proxy_capabilities: what its container needs after all capabilities are dropped.
    """

    authentication: str
    secret: str
    why: str
    proxy_image: str
    proxy_capabilities: tuple[str, ...]

    def key_command(self, namespace: str) -> str:
        """Command that makes the Secret with a new key."""
        value = "--from-literal=current=$(openssl rand -hex 32)"
        return f"kubectl -n {namespace} create secret generic {self.secret} {value}"


def access(stack: str, expose: Expose, proxy: Proxy) -> Access:
    """Authentication of one endpoint, and the proxy that sees to it."""
    own = keys_secret(stack)
    named = "" if expose.authentication == "none" else secret_name(expose.keySecret, own) or own
    return Access(
        authentication=expose.authentication,
        secret=named,
        why=expose.reason or _KEY,
        proxy_image=proxy.reference,
        proxy_capabilities=proxy.capabilities,
    )


def open_caution(expose: Expose) -> str | None:
    """What to know where nobody is asked for a key."""
    if expose.authentication == "key":
        return None
    return f"no key is asked for: every pod with the client label may call; reason given: {expose.reason}"
