"""What `make up` ends with: the plan in a few lines, what was made, the address, and what to try next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from simulator.engine import Engine, read_json
from simulator.progress import duration

_SERVICES = {
    "gemini": "Gemini API",
    "model-garden": "Vertex AI Model Garden",
    "serverless": "Vertex AI, serverless",
}
_CHANGES = {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted"}


def print_summary(engine: Engine, stack: str, stacks_option: list[str], elapsed_seconds: float) -> None:
    """Print it for a stack that is up.

    Args:
        engine: Where the stack is.
        stack: Its name.
        stacks_option: `--stacks DIR`, where the user gave it.
        elapsed_seconds: How long everything took.
    """
    plan_command = engine.start_reading("servestack", "plan", stack, "--json", *stacks_option)
    outputs_command = engine.start_reading("pulumi", "stack", "output", "--json", "-s", stack)
    history_command = engine.start_reading("pulumi", "stack", "history", "--json", "--page-size", "1", "-s", stack)
    plan, outputs, history = map(read_json, (plan_command, outputs_command, history_command))

    rows = plan_rows(plan) if plan else []
    rows.append(("changes", changes(history[0].get("resourceChanges", {}) if history else {})))
    rows += managed_rows(outputs) if outputs and outputs.get("service") else endpoint_rows(outputs or {})
    print(f"\n{stack} is up, {_place(plan or {})}: {duration(elapsed_seconds)}.\n")
    for name, value in rows:
        print(f"  {name:<12} {value}")
    options = "".join(f" {option}" for option in stacks_option)
    print("\nNext:")
    print(f"  .venv/bin/servestack plan {stack}{options} --explain")
    print(f"  make preview STACK={stack}{f' STACKS={stacks_option[1]}' if stacks_option else ''}")
    print("  make down")


def _place(plan: Mapping[str, Any]) -> str:
    if plan.get("service"):
        return "on a simulated Google Cloud"
    return "on your Macs" if (plan.get("accelerator") or {}).get("kind") == "apple" else "on a simulated GKE"


def print_local_summary(engine: Engine, stack: str, stacks_option: list[str], elapsed_seconds: float) -> None:
    """Print it for a service of this machine; arguments as of `print_summary`."""
    plan_command = engine.start_reading("servestack", "plan", stack, "--json", *stacks_option)
    outputs = read_json(engine.start_reading("pulumi", "stack", "output", "--json", "-s", stack)) or {}
    plan = read_json(plan_command)
    rows = [*(plan_rows(plan) if plan else []), ("endpoint", outputs["url"]), ("request as", outputs["model"])]
    rows += [("kept by", outputs["service"]), ("log", outputs["log"])]
    print(f"\n{stack} is up, on this machine: {duration(elapsed_seconds)}.\n")
    for name, value in rows:
        print(f"  {name:<12} {value}")
    options = "".join(f" {option}" for option in stacks_option)
    print("\nNext:")
    print(f"  {call_command(outputs)}")
    print(f"  .venv/bin/servestack smoke {stack}{options}")
    print("  make down")


def call_command(outputs: Mapping[str, Any]) -> str:
    """Return a command that asks a service of this machine something; the key is no argument of a program."""
    body = json.dumps({"model": outputs["model"], "messages": [{"role": "user", "content": "Who are you?"}]})
    call = f"curl -s {outputs['url']}/chat/completions -H 'Content-Type: application/json' -d '{body}'"
    if not outputs.get("keyCommand"):
        return call
    return f"""printf 'Authorization: Bearer %s' "$({outputs["keyCommand"]})" | {call} -H @-"""


def endpoint_rows(outputs: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the address of an endpoint on a cluster, and where its keys are."""
    if outputs.get("result"):
        return [("result", outputs["result"]), ("log", outputs["logsCommand"])]
    rows = [("endpoint", outputs["url"])] if outputs.get("url") else []
    if outputs.get("tunnelCommand"):
        rows += [("tunnel", outputs["tunnelCommand"]), ("key", outputs["keyCommand"])]
    if outputs.get("keySecret"):
        rows.append(("key", f"in Secret {outputs['keySecret']};"))
        rows.append(("", "until it exists, every call is refused:"))
        rows.append(("", outputs["keyCommand"]))
    return rows


def managed_rows(outputs: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the address of an endpoint that Google runs, the model's name there, and how to come in."""
    rows = [("endpoint", outputs["url"]), ("request as", outputs["requestModel"])]
    if outputs.get("keyCommand"):
        return [*rows, ("key", "in Secret Manager:"), ("", outputs["keyCommand"])]
    return [*rows, ("callers", outputs["callersAccount"])]


def plan_rows(plan: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the plan's lines: name and value.

    Args:
        plan: The JSON object of `servestack plan --json`. Memory is per accelerator, in GiB.
    """
    if "work" in plan:
        return _job_rows(plan)
    model, accelerator, memory = plan["model"], plan["accelerator"], plan["memory"]
    if accelerator is None or memory is None:
        return _without_proof(plan)
    checkpoint = model["checkpoint"]
    if model.get("revision"):
        checkpoint += f" at {model['revision'][:12]}"
    accelerators = f"{accelerator['count']} x {accelerator['type']}"
    return [
        ("model", f"{model['id']} ({plan['precision']})"),
        ("checkpoint", checkpoint),
        _framework_row(plan),
        ("accelerator", f"{accelerators}, {accelerator['machineType']}, {accelerator['capacity']}"),
        ("parallelism", f"tensor parallel size {plan['parallelism']['tensor']}"),
        ("context", f"{plan['context']['maxModelLen']:,} tokens"),
        ("memory", f"needs {memory['needGiB']:.1f} GiB of {memory['haveGiB']:.1f} GiB per accelerator"),
        *cost_rows(plan["cost"]),
    ]


def _job_rows(plan: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Of a job: what it does, on what, and what it costs at most."""
    accelerator, memory, work, cost = plan["accelerator"], plan["memory"], plan["work"], plan["cost"]
    most = "not known" if cost["mostUsd"] is None else f"at most {cost['mostUsd']:.2f} USD until its deadline"
    return [
        ("job", f"{work['mode']} with {work['preset']}, {work['pods']} x {accelerator['machineType']}"),
        ("model", f"{plan['model']['id']} ({plan['precision']})"),
        ("framework", f"{plan['framework']['name']} {plan['framework']['version']}"),
        ("accelerator", f"{accelerator['count']} x {accelerator['type']}, {accelerator['capacity']}"),
        ("memory", f"needs {memory['needGiB']:.1f} GiB of {memory['haveGiB']:.1f} GiB per accelerator"),
        ("cost", most),
    ]


def _framework_row(plan: Mapping[str, Any]) -> tuple[str, str]:
    framework = plan["framework"]
    if plan.get("service"):
        return "service", f"{_SERVICES[plan['service']]}, vLLM {framework['version']}"
    return "framework", f"{framework['name']} {framework['version']}"


def _without_proof(plan: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Of a managed endpoint of which nothing is proved: Google's own machines, or its own container."""
    price, accelerator = plan["tokenPrice"], plan["accelerator"]
    rows = [("model", plan["model"]["id"]), ("service", _SERVICES[plan["service"]])]
    if accelerator is not None:
        shape = f"{accelerator['count']} x {accelerator['type']}, {accelerator['machineType']}"
        return [*rows, ("accelerator", f"{shape}, {accelerator['capacity']}"), *cost_rows(plan["cost"])]
    if price["inputUsdPerMillion"] is None:
        return [*rows, ("cost", price["basis"])]
    tokens = f"{price['inputUsdPerMillion']:.2f} in, {price['outputUsdPerMillion']:.2f} out"
    return [*rows, ("cost", f"USD per million tokens: {tokens}"), ("", price["basis"])]


def cost_rows(cost: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the price in USD per hour, where one is known, and which price it is."""
    if cost["hourlyUsd"] is None:
        return [("cost", cost["basis"])]
    return [("cost", f"{cost['hourlyUsd']:.2f} USD per hour"), ("", cost["basis"])]


def changes(resources: Mapping[str, int]) -> str:
    """Return what an update did, such as "9 created, 1 unchanged"; "none" when it changed nothing."""
    done = [f"{count} {_CHANGES[kind]}" for kind, count in resources.items() if kind in _CHANGES and count]
    same = resources.get("same", 0)
    if not done:
        return f"none, {same} resources are as they should be"
    return ", ".join([*done, *([f"{same} unchanged"] if same else [])])
