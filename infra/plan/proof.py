"""The memory proof in words: every term, then need against have."""

from __future__ import annotations

from infra.plan.demand import GIB
from infra.plan.fit import Fit, gib_text


def proof_lines(fit: Fit, framework: str) -> list[str]:
    """Why a setting does not fit, one term a line: a user can redo the sum."""
    setting = fit.setting
    count = setting.tensor * setting.pipeline * setting.data
    head = (
        f"does not fit. {framework} with {setting.checkpoint.repository} on {count} x {setting.accelerator.id}, "
        "GiB per accelerator:"
    )
    rows = [(_name(fit, index), gib_text(term.size_bytes / GIB)) for index, term in enumerate(fit.terms)]
    if fit.uncertainty_gib:
        rows.append(("uncertain part of these", gib_text(fit.uncertainty_gib)))
    rows.append(("needed", gib_text(fit.need_bytes / GIB)))
    share = f"there: {fit.whole_gib:.2f} x {fit.utilization:g}" if fit.utilization < 1 else "there"
    rows.append((share, gib_text(fit.have_bytes / GIB)))
    width = max(len(name) for name, _ in rows)
    return [head, *(f"  {name:<{width}}  {size:>8}" for name, size in rows)]


def arithmetic(fit: Fit) -> str:
    """The proof as a sentence."""
    setting = fit.setting
    weights, overhead = fit.gib("weights"), fit.gib("overhead")
    request = fit.gib("kv") / setting.concurrency
    return (
        f"weights {weights:.2f} + overhead {overhead:.2f} + uncertain {fit.uncertainty_gib:.2f} + KV cache "
        f"{setting.concurrency} x {gib_text(request)} ({setting.tokens:,} tokens) = {fit.need_bytes / GIB:.2f} GiB of "
        f"{fit.have_bytes / GIB:.2f} ({fit.whole_gib:.2f} x {fit.utilization:g}) per accelerator"
    )


def _name(fit: Fit, index: int) -> str:
    term, setting = fit.terms[index], fit.setting
    if term.kind != "kv":
        return term.name
    requests = f"{setting.concurrency} request{'' if setting.concurrency == 1 else 's'}"
    return f"{term.name}: {requests} of {setting.tokens:,} tokens"
