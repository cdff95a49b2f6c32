"""What Google offers today, as text of at most 80 columns."""

from __future__ import annotations

import textwrap

from infra.live.findings import Live, Offered
from infra.plan.managed import ManagedPlan
from infra.report import row
from infra.text import WIDTH, printable, short_image, wrapped

_INDENT = " " * 16
_CHECKED = {
    "model-garden": "",
    "serverless": "that Model Garden's catalogue has it; no request was made, and rights and quota were not tried",
    "gemini": "that the key may see it; no request was made, and the project's limits were not tried",
}


def live_text(plan: ManagedPlan, live: Live) -> str:
    """Google's answers in a few lines; nothing where there are none."""
    if live.keeps_plan is None:
        return ""
    lines = [printable(f"today, by {live.host}"), row("asked", live.asked)]
    for offer in live.offers:
        lines += _offer(offer)
    if live.keeps_plan and not live.offers:
        lines += [row("serves", _served(live)), row("checked", _CHECKED[live.service])]
    if live.offers and not live.error:
        lines.append(row("licence", _licence(plan, live)))
    lines += [row("differs", printable(one)) for one in live.differences]
    if live.keeps_plan:
        lines.append(row("agrees", "the planned machine is offered" if live.offers else "the planned model is served"))
    return "\n".join(lines) + "\n"


def error_text(live: Live) -> str:
    """Why the answers are not all there; commands on lines of their own."""
    return "\n".join(line if line.startswith(" ") else wrapped(line, "", "") for line in live.error.splitlines())


def _offer(one: Offered) -> list[str]:
    count = f"{one.accelerator_count} x {one.accelerator_type}" if one.accelerator_type else "no accelerator"
    known = f" ({one.accelerator})" if one.accelerator else ""
    state = "as planned" if one.planned else "marked in the catalogue" if one.marked else "not marked in the catalogue"
    lines = [row("offered", printable(f"{one.machine_type}, {count}{known}: {state}"))]
    words = " ".join((*([short_image(one.image)] if one.image else []), *one.command, *one.args))
    if words:
        folded = textwrap.wrap(
            printable(words), WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT, break_on_hyphens=False
        )
        lines += [line.rstrip() for line in folded]
    return lines


def _served(live: Live) -> str:
    tokens = f"{live.input_tokens:,} tokens" if live.input_tokens else ""
    answer = f"{live.output_tokens:,} of an answer" if live.output_tokens else ""
    version = f"version {live.version}" if live.version else ""
    said = [live.launch_stage or "yes", version, tokens, answer]
    return printable(", ".join(one for one in said if one))


def _licence(plan: ManagedPlan, live: Live) -> str:
    assert plan.garden is not None
    if live.licence_accepted is None:
        return "Google has no record of it"
    if live.licence_accepted:
        return f"accepted in project {plan.project}"
    if plan.garden.accept_licence:
        return f"not accepted in project {plan.project}; `pulumi up` accepts it"
    return (
        f"not accepted in project {plan.project}: where Google asks for it, the deployment is refused until somebody "
        "accepts it, or the stack file says vertex: {acceptLicence: true}"
    )
