"""What a running endpoint does, as text of at most 80 columns."""

from __future__ import annotations

from infra.operate.diagnosis import Diagnosis
from infra.text import counted, printable, wrapped


def diagnosis_text(name: str, found: Diagnosis, url: str) -> str:
    """State of an endpoint, the control plane's own words, and what to do next."""
    if found.state == "absent":
        return f"{name}: not deployed.\nNext: pulumi up -s {name}\n"
    lines = [f"{name}: {found.state}, {found.ready} of {counted(found.wanted, 'replica')} ready."]
    if found.state == "serving":
        lines.append(f"  {url}")
    for finding in found.findings:
        lines.append(wrapped(printable(f"{finding.about}: {finding.reason}: {finding.message}"), "  ", "    "))
    if found.state != "serving":
        step = found.next_step or "the engine is loading; run `servestack status` again"
        lines.append(wrapped(f"Next: {step}.", "", "      "))
    return "\n".join(lines) + "\n"
