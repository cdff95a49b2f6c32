"""Cells of the support matrix as words, the same on every surface."""

from __future__ import annotations

from infra.catalog.records import Image
from infra.matrix.rows import Matrix, MatrixRow, Source

KINDS = {"apple": "Macs", "cpu": "CPUs", "gpu": "GPUs", "tpu": "TPUs"}
PLACES = {"batch": "batch jobs", "host": "the host", "kubernetes": "Kubernetes", "managed": "Google's service"}


def kinds(names: tuple[str, ...]) -> str:
    """Kinds of accelerator in words."""
    return ", ".join(sorted(KINDS.get(one, one) for one in names))


def runs_on(row: MatrixRow) -> str:
    """On what it runs, and where that is no cluster; `-` where it is refused."""
    if row.facts.state == "refused":
        return "-"
    place = PLACES.get(row.facts.runs, row.facts.runs)
    if not row.kinds:
        return place
    return kinds(row.kinds) if row.facts.runs == "kubernetes" else f"{kinds(row.kinds)} ({place})"


def modalities(row: MatrixRow, sizes: tuple[str, ...]) -> str:
    """What it takes; with the sizes where not every one that it serves takes it, or where it does not serve all."""
    served = [size for size in sizes if row.inputs(size)]
    if not served:
        return "-"
    taken = sorted({one for size in served for one in row.inputs(size)})
    by_input = {one: [size for size in served if one in row.inputs(size)] for one in taken}
    everywhere = ", ".join(one for one in taken if by_input[one] == served)
    some = [f"{one} ({', '.join(by_input[one])})" for one in taken if by_input[one] != served]
    only = f"only {', '.join(served)}" if len(served) < len(sizes) else ""
    return "; ".join(one for one in (everywhere, *some, only) if one)


def versions(row: MatrixRow) -> str:
    """Default, oldest and denied versions."""
    facts = row.facts
    if facts.default_version is None:
        return "none to choose from"
    parts = [f"{facts.default_version} by default", f"{facts.minimum_version} or newer"]
    parts += [f"{size}: {version} or newer" for size, version in row.minimum_by_size]
    if facts.denied_versions:
        parts.append(f"denied: {', '.join(facts.denied_versions)}")
    return "; ".join(parts)


def sliding_layers(row: MatrixRow) -> str:
    """How its KV cache charges layers with a sliding window."""
    since = row.facts.hybrid_kv_since
    if since:
        return f"sliding layers charged for their window only, since {since}"
    return "not known to spare sliding layers: every layer is charged in full"


def images(row: MatrixRow) -> tuple[tuple[str, str], ...]:
    """Images with the architectures that each serves."""
    by_image: dict[str, list[str]] = {}
    for architecture, image in row.image_by_architecture:
        by_image.setdefault(_sized(image), []).append(architecture)
    return tuple((image, ", ".join(names)) for image, names in by_image.items())


def hardware(row: MatrixRow) -> tuple[str, ...]:
    """Architectures, each with its accelerators' names in stack files."""
    return tuple(f"{name}: {', '.join(ones) or 'no accelerator here'}" for name, ones in row.accelerators)


def here(row: MatrixRow) -> str:
    """What this version does with it, as a sentence."""
    if row.deployed and row.facts.runs == "managed":
        where = f"for {kinds(row.planned_on)}" if row.planned_on else "without machines of your own"
        return f"planned {where}; deployed: Google runs it"
    if row.deployed and row.facts.runs == "batch":
        return "jobs on GPUs and TPUs are planned and deployed (docs/keras.md); it serves nobody"
    if row.deployed:
        return f"planned for {kinds(row.planned_on)}; deployed where the plan names no reason against it"
    if row.planned_on:
        return f"planned for {kinds(row.planned_on)}, not deployed"
    if row.facts.state == "refused":
        instead = f"; use {row.facts.alternative} instead" if row.facts.alternative else ""
        return f"a stack file that names it is refused{instead}"
    return "neither planned nor deployed by this version yet"


def can(row: MatrixRow) -> str:
    """What it can do besides answering."""
    return ", ".join(name for name, able in row.abilities if able) or "none"


def left_out(row: MatrixRow) -> str:
    """What it cannot do, or is not trusted with."""
    return ", ".join(name for name, able in row.abilities if not able) or "none"


def letters(row: MatrixRow, size: str, matrix: Matrix) -> str:
    """Inputs of a size by their first letters, `-` where it is not served."""
    return "".join(one[0].upper() for one in matrix.inputs if one in row.inputs(size)) or "-"


def cited(source: Source) -> str:
    """A source with its date."""
    return f"{source.what} ({source.date or 'no date'})"


def unquoted(row: MatrixRow) -> tuple[Source, ...]:
    """Sources of the record that no statement names."""
    quoted = {source.name for _, source in row.evidence}
    return tuple(one for one in row.sources if one.name not in quoted)


def _sized(image: Image | None) -> str:
    if image is None:
        return "no container"
    return f"{image.reference}, {image.size_gib} GiB" if image.size_gib else image.reference
