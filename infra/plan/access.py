"""Who may call an endpoint: a key unless the stack file gives a reason for none."""

from __future__ import annotations

from infra.catalog.records import Proxy
from infra.plan.serving_plan import Access
from infra.spec import Expose

_KEY = "engines leave paths open that start work, and a label on a pod is no proof of who calls"


def access(stack: str, expose: Expose, proxy: Proxy) -> Access:
    """Authentication of one endpoint, and the proxy that sees to it."""
    named = "" if expose.authentication == "none" else expose.keySecret or f"{stack}-keys"
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
