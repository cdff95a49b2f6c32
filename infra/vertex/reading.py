"""How each input of a deployment is read and judged. Pure; sources as in `deployment`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

_ID = r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ID_RULE = "a letter, then up to 62 of [a-z0-9-], the last a letter or digit"
_LABEL_KEY = r"[a-z][a-z0-9_-]{0,62}"
_LABEL_VALUE = r"[a-z0-9_-]{0,63}"
_ACCELERATORS = (
    "NVIDIA_TESLA_T4",
    "NVIDIA_TESLA_A100",
    "NVIDIA_A100_80GB",
    "NVIDIA_L4",
    "NVIDIA_H100_80GB",
    "NVIDIA_H100_MEGA_80GB",
    "NVIDIA_H200_141GB",
    "NVIDIA_B200",
    "NVIDIA_GB200",
    "NVIDIA_RTX_PRO_6000",
)
"""Names of `AcceleratorType` that this project's catalogue has too."""
_SEVEN_DAYS_SECONDS = 7 * 24 * 3600
_OWN_LABELS = re.compile(r"managed-by|servestack-.*")

Reader = Callable[[Any], Any]


def text(pattern: str, rule: str, empty: bool = False) -> Reader:
    """Text that a pattern matches as a whole."""
    compiled = re.compile(pattern)

    def read(value: Any) -> str:
        if not isinstance(value, str) or not (compiled.fullmatch(value) or (empty and not value)):
            raise ValueError(f"{value!r} is not {rule}")
        return value

    return read


def whole(least: int, most: int) -> Reader:
    """A whole number; JSON has only floats."""

    def read(value: Any) -> int:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or value % 1 != 0 or not least <= value <= most:
            raise ValueError(f"{value!r} is not a whole number from {least} to {most}")
        return int(value)

    return read


def yes_or_no(value: Any) -> bool:
    """A truth value."""
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is not true or false")
    return value


def plain_text(value: Any) -> str:
    """Any text."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value


def texts(value: Any) -> tuple[str, ...]:
    """A list of texts."""
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"{value!r} is not a list of texts")
    return tuple(value)


def pairs(key: Reader, of: Reader) -> Reader:
    """A mapping, as pairs sorted by key."""

    def read(value: Any) -> tuple[tuple[str, Any], ...]:
        if not isinstance(value, Mapping):
            raise ValueError(f"{value!r} is not a mapping")
        return tuple(sorted((key(name), of(one)) for name, one in value.items()))

    return read


def _label(value: Any) -> str:
    name: str = text(_LABEL_KEY, "a label's key: a letter, then up to 62 of [a-z0-9_-]")(value)
    if _OWN_LABELS.fullmatch(name):
        raise ValueError(f"label {name!r} is set by the provider")
    return name


READERS: dict[str, Reader] = {
    "stack": text(r"[a-z0-9][a-z0-9_-]{0,62}", "a stack's name in up to 63 of [a-z0-9_-]"),
    "project": text(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", "a project's id"),
    "location": text(r"[a-z]+-[a-z]+[0-9]+", "a region, such as us-central1"),
    "publisher_model": text(
        r"[a-z0-9-]+/[A-Za-z0-9._-]+@[A-Za-z0-9._-]+", "publisher/model@version, such as google/gemma4@gemma-4-31b-it"
    ),
    "endpoint_id": text(_ID, _ID_RULE),
    "model_id": text(_ID, _ID_RULE),
    "machine_type": text(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)+", "a machine type, such as a3-highgpu-1g"),
    "accelerator_type": text("|".join(_ACCELERATORS), f"one of {', '.join(_ACCELERATORS)}"),
    "accelerator_count": whole(1, 16),
    "min_replicas": whole(0, 1000),
    "max_replicas": whole(0, 1000),
    "autoscaling": pairs(text(r"[a-z0-9._/-]+", "a metric's name"), whole(1, 1_000_000)),
    "spot": yes_or_no,
    "reservation": text(
        r"projects/[a-z0-9-]+/zones/[a-z0-9-]+/reservations/[a-z0-9-]+",
        "projects/P/zones/Z/reservations/R",
        empty=True,
    ),
    "flex_start_seconds": whole(0, _SEVEN_DAYS_SECONDS),
    "container_image": text(r"[A-Za-z0-9][A-Za-z0-9._/:@-]*", "an image", empty=True),
    "container_command": texts,
    "container_args": texts,
    "container_env": pairs(text(r"[A-Z][A-Z0-9_]*", "a variable's name"), plain_text),
    "container_port": whole(0, 65535),
    "predict_route": text(r"/[A-Za-z0-9/_.-]*", "a path", empty=True),
    "health_route": text(r"/[A-Za-z0-9/_.-]*", "a path", empty=True),
    "shared_memory_mb": whole(0, 1_000_000),
    "accept_eula": yes_or_no,
    "labels": pairs(_label, text(_LABEL_VALUE, "a label's value: up to 63 of [a-z0-9_-]", empty=True)),
    "dedicated_endpoint": yes_or_no,
    "timeout_seconds": whole(1, 6 * 3600),
}
_OF_A_CONTAINER = (
    "container_command",
    "container_args",
    "container_env",
    "container_port",
    "predict_route",
    "health_route",
    "shared_memory_mb",
)
_REQUIRED = (
    "stack",
    "project",
    "location",
    "publisher_model",
    "endpoint_id",
    "model_id",
    "machine_type",
    "accelerator_type",
    "accelerator_count",
)


def problems(inputs: Mapping[str, Any], unknown: Collection[str] = ()) -> list[tuple[str, str]]:
    """Everything wrong with the inputs, as field and reason.

    Args:
        inputs: as the engine hands them over.
        unknown: fields whose value is known only later, in a preview: not judged.
    """
    found = [(name, "is missing") for name in _REQUIRED if name not in inputs]
    read: dict[str, Any] = {}
    for name, reader in READERS.items():
        if name in inputs and name not in unknown:
            try:
                read[name] = reader(inputs[name])
            except ValueError as error:
                found.append((name, str(error)))
    if read.get("min_replicas", 1) < 1:
        found.append(("min_replicas", "is below 1: an endpoint has none only where its model was undeployed by hand"))
    most = read.get("max_replicas", 1000 if "max_replicas" in inputs else 1)
    if read.get("min_replicas", 1) > most:
        found.append(("min_replicas", "is above max_replicas"))
    ways = [name for name in ("spot", "reservation", "flex_start_seconds") if read.get(name)]
    if len(ways) > 1:
        found.append((ways[1], f"cannot stand beside {ways[0]}: a machine is bought in one way"))
    if not read.get("container_image", "container_image" in unknown):
        found += [
            (name, "needs container_image: Model Garden drops it without an image")
            for name in _OF_A_CONTAINER
            if read.get(name)
        ]
    return found
