"""Imports point left only, and nothing left of components/ does I/O on its own."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

INFRA = Path(__file__).resolve().parents[2] / "infra"
FILES = sorted(INFRA.rglob("*.py"))
# What a module may import from this project. `pipeline` is everything left of components.
ALLOWED = {
    "errors": set(),
    "document": {"errors"},
    "spec": {"document", "errors", "spec"},
    "toolkit": set(),
    "catalog": {"catalog", "toolkit"},
    "lock": {"document", "errors", "lock", "spec"},
    "plan": {"catalog", "lock", "plan", "spec"},
    "watch": {"catalog", "plan", "watch"},
    "frameworks": {"catalog", "frameworks", "plan", "watch"},
    "cloud": {"catalog", "cloud", "frameworks", "plan", "spec"},
    "cluster": {"catalog", "cluster", "errors", "plan", "spec"},
    "naming": {"catalog", "spec"},
    "vocabulary": {"catalog", "document", "errors"},
    "stack_files": {"catalog", "document", "errors", "lock", "naming", "spec", "vocabulary"},
    "objects": {"frameworks", "plan"},
    "render": {"frameworks", "objects", "toolkit"},
    "stack_folder": {"document", "errors", "lock", "spec"},
    "schema": {"catalog", "spec"},
    "operate": {"cluster", "errors", "operate", "plan", "spec"},
    "bars": set(),
    "text": set(),
    "matrix": {"catalog", "errors", "frameworks", "matrix", "plan", "spec", "text"},
    "fleet": {"plan"},
    "fleet_report": {"fleet", "plan", "text"},
    "report": {"bars", "catalog", "plan", "text"},
    "diagnosis_report": {"operate", "text"},
    "comparison_report": {"plan", "text"},
    "check_report": {"cloud", "spec", "text"},
    "platform_report": {"cloud", "text"},
    "managed_report": {"catalog", "job_report", "plan", "report", "text"},
    "job_report": {"catalog", "plan", "report", "text"},
    "garden_deployment": {"pipeline", "vertex"},
    "golden": {
        "batch_job",
        "cloud",
        "garden_deployment",
        "managed_report",
        "pipeline",
        "plan",
        "platform_report",
        "render",
        "vertex",
    },
    "page": {"page", "plan"},
    "batch_job": {"catalog", "cloud", "frameworks", "lock", "plan", "render", "spec"},
    "pipeline": {
        "batch_job",
        "catalog",
        "cloud",
        "document",
        "errors",
        "frameworks",
        "lock",
        "plan",
        "render",
        "spec",
        "stack_files",
    },
    "new_stack": {
        "catalog",
        "document",
        "errors",
        "managed_report",
        "naming",
        "pipeline",
        "spec",
        "text",
        "vocabulary",
    },
    "offers": {"catalog", "document", "errors", "frameworks", "new_stack", "pipeline", "plan", "spec", "text"},
    "interview": {"catalog", "document", "errors", "new_stack", "offers", "pipeline", "text"},
    "engine_watch": set(),
    "vertex": {"engine_watch", "errors", "vertex"},
    "local": {"engine_watch", "local"},
    "live": {"catalog", "live", "plan", "text", "vertex"},
    "live_report": {"live", "plan", "report", "text"},
    "live_verb": {"catalog", "errors", "live", "live_report", "managed_report", "pipeline"},
    "host": {"host"},
    "components": {
        "batch_job",
        "catalog",
        "cloud",
        "cluster",
        "components",
        "errors",
        "frameworks",
        "garden_deployment",
        "local",
        "host",
        "pipeline",
        "plan",
        "spec",
        "vertex",
    },
    "policy": {"plan", "policy"},
    "smoke": {"errors", "plan", "smoke", "spec"},
    "smoke_report": {"smoke", "text"},
    "verify": {
        "cluster",
        "components",
        "errors",
        "frameworks",
        "garden_deployment",
        "local",
        "pipeline",
        "plan",
        "smoke",
        "spec",
        "verify",
        "vertex",
    },
    "verify_report": {"text", "verify"},
    "judgement": {"batch_job", "cloud", "errors", "pipeline", "policy"},
    "verbs": {
        "batch_job",
        "catalog",
        "check_report",
        "cloud",
        "cluster",
        "comparison_report",
        "diagnosis_report",
        "errors",
        "fleet",
        "fleet_report",
        "matrix",
        "interview",
        "job_report",
        "judgement",
        "live_verb",
        "managed_report",
        "new_stack",
        "offers",
        "operate",
        "page",
        "pipeline",
        "plan",
        "platform_report",
        "report",
        "schema",
        "spec",
        "stack_folder",
    },
    "live_verbs": {
        "errors",
        "frameworks",
        "local",
        "pipeline",
        "plan",
        "smoke",
        "smoke_report",
        "stack_folder",
        "verify",
        "verify_report",
    },
    "own_files": set(),
    "rendered_tree": {"batch_job", "golden", "own_files", "pipeline", "render"},
    "tree_folder": {"errors", "own_files"},
    "tree_verbs": {"errors", "golden", "pipeline", "rendered_tree", "stack_folder", "tree_folder"},
    "review": {
        "batch_job",
        "cloud",
        "document",
        "errors",
        "golden",
        "judgement",
        "lock",
        "pipeline",
        "plan",
        "policy",
        "rendered_tree",
        "report",
        "review",
        "spec",
        "text",
        "toolkit",
    },
    "review_report": {"review", "text"},
    "markdown_text": {"text"},
    "markdown_parts": {"text"},
    "review_markdown_stack": {"markdown_parts", "markdown_text", "review", "review_report", "text"},
    "review_markdown": {"markdown_parts", "markdown_text", "review", "review_markdown_stack", "review_report", "text"},
    "review_page": {"page", "review", "review_page", "review_report"},
    "review_sarif": {"review", "review_report", "text"},
    "whole_file": {"errors"},
    "git_command": {"errors"},
    "git_revisions": {"document", "errors", "git_command", "lock", "spec", "stack_folder"},
    "toolkit_revision": {"errors", "git_command", "git_revisions", "toolkit"},
    "changed_stacks": {"document", "errors", "lock", "pipeline", "stack_files"},
    "review_sides": {
        "catalog",
        "changed_stacks",
        "errors",
        "git_revisions",
        "lock",
        "pipeline",
        "review",
        "stack_files",
        "stack_folder",
        "toolkit",
        "toolkit_revision",
    },
    "review_verbs": {
        "errors",
        "git_command",
        "review",
        "review_markdown",
        "review_page",
        "review_report",
        "review_sarif",
        "review_sides",
        "stack_folder",
        "text",
        "whole_file",
    },
    "simulation_report": {"markdown_text", "text"},
    "simulate_verbs": {"changed_stacks", "errors", "git_revisions", "simulation_report", "stack_folder", "whole_file"},
    "lock_client": {"errors", "lock", "lock_client", "plan", "text"},
    "lock_report": {"lock", "pipeline", "text"},
    "lock_verbs": {"errors", "lock", "lock_client", "lock_report", "pipeline", "stack_files", "stack_folder"},
    "cli": {
        "errors",
        "live_verbs",
        "lock_verbs",
        "review_verbs",
        "simulate_verbs",
        "site_verbs",
        "stack_folder",
        "tree_verbs",
        "verbs",
    },
    "website": {
        "batch_job",
        "catalog",
        "cloud",
        "frameworks",
        "golden",
        "matrix",
        "own_files",
        "page",
        "pipeline",
        "plan",
        "website",
        "spec",
    },
    "site_verbs": {"errors", "pipeline", "website", "stack_folder", "tree_folder"},
    "__main__": {"components", "errors", "pipeline", "stack_folder"},
}
IMPURE = {
    "os",
    "subprocess",
    "socket",
    "time",
    "datetime",
    "random",
    "requests",
    "httpx",
    "urllib",
    "pulumi",
    "kubernetes",
}
EDGES = {
    "cluster",
    "components",
    "cli",
    "engine_watch",
    "git_command",
    "git_revisions",
    "host",
    "live",
    "live_verbs",
    "local",
    "lock_client",
    "verbs",
    "__main__",
    "stack_folder",
    "toolkit_revision",
    "tree_folder",
    "tree_verbs",
    "operate",
    "review_sides",
    "simulate_verbs",
    "site_verbs",
    "smoke",
    "verify",
    "vertex",
    "whole_file",
}
# Inside an edge: what is data and rules alone, imported by what calls.
PURE_IN_EDGES = [
    *(INFRA / "vertex" / f"{name}.py" for name in ("deployment", "reading", "messages", "live", "offer")),
    *(INFRA / "local" / f"{name}.py" for name in ("service", "units", "failures")),
    *(INFRA / "host" / f"{name}.py" for name in ("service",)),
    *(INFRA / "host" / "remote" / f"{name}.py" for name in ("limits", "failures")),
    *(INFRA / "live" / f"{name}.py" for name in ("findings", "garden_offers", "served_model", "sentences")),
    *(INFRA / "smoke" / f"{name}.py" for name in ("answers", "media", "promise", "verdicts")),
    *(INFRA / "verify" / f"{name}.py" for name in ("cluster", "rows")),
]


def area(file: Path) -> str:
    relative = file.relative_to(INFRA)
    return relative.parts[0].removesuffix(".py")


def imports(file: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            found.append(node.module or "")
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(INFRA)))
def test_imports_point_left_only(file: Path) -> None:
    own = [name.split(".")[1] for name in imports(file) if name.startswith("infra.")]
    if area(file) != "__init__":
        assert set(own) <= ALLOWED[area(file)]
    assert not any(name.split(".")[0] == "simulator" for name in imports(file))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(INFRA)))
def test_no_clock_no_environment_no_network_left_of_the_edges(file: Path) -> None:
    if area(file) not in EDGES or file in PURE_IN_EDGES:
        assert not IMPURE & {name.split(".")[0] for name in imports(file)}


def test_only_components_the_program_and_the_provider_import_pulumi() -> None:
    users = [file for file in FILES if any(name.startswith("pulumi") for name in imports(file))]
    assert {area(file) for file in users} == {"components", "__main__", "vertex", "local", "host"}
    edges = ("host", "local", "vertex")
    assert [file.stem for file in users if area(file) in edges] == ["provider", "provider", "provider"]


def test_no_module_of_the_program_folder_hides_the_standard_library() -> None:
    assert not {path.stem for path in INFRA.iterdir()} & set(sys.stdlib_module_names) - {"__main__", "__init__"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(INFRA)))
def test_files_stay_short_and_are_not_drawers(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 300
    assert file.stem not in {"utils", "common", "helpers", "misc"}


def test_the_program_is_a_few_lines() -> None:
    assert len((INFRA / "__main__.py").read_text(encoding="utf-8").splitlines()) <= 20
