"""A change of catalogue or templates is reviewed through the stacks that it reaches. Real git, real data."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from infra.catalog.loader import load_catalog
from infra.toolkit import CATALOGUE, INSTALLED, MANIFESTS, using
from tests.unit.files import PLATFORM, endpoint
from tests.unit.review_repository import Repository

ON_L4, ON_H100 = "gemma4-e4b-l4", "gemma4-31b-h100"
DEPLOYMENT = f"{MANIFESTS}/templates/deployment.yaml.j2"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    for part in (CATALOGUE, MANIFESTS):
        shutil.copytree(INSTALLED / part, made.folder / part, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    made.commit(
        dev=PLATFORM,
        gemma4_e4b_l4=endpoint("gemma-4-e4b-it", "l4", "vllm"),
        gemma4_31b_h100=endpoint("gemma-4-31b-it", "h100", "vllm", "capacity: [spot]"),
    )
    return made


def edit(repository: Repository, file: str, old: str, new: str) -> None:
    path = repository.folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    repository.commit()


def reviewed(repository: Repository, capsys: pytest.CaptureFixture[str], code: int = 0) -> dict:  # type: ignore[type-arg]
    assert repository.review("--json") == code
    found: dict = json.loads(capsys.readouterr().out)  # type: ignore[type-arg]
    return found


def _tripled(row: str) -> str:
    return re.sub(r"(on_demand_usd_per_hour: )([0-9.]+)", lambda found: f"{found[1]}{3 * float(found[2])}", row)


def test_a_price_reaches_the_stacks_on_that_machine_and_no_others(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    path = repository.folder / CATALOGUE / "prices.yaml"
    rows = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(_tripled(row) if "machine_type: g2-" in row else row for row in rows), encoding="utf-8")
    repository.commit()
    found = reviewed(repository, capsys)
    assert found["toolkit"]["catalogue"] == [f"{CATALOGUE}/prices.yaml"]
    assert found["toolkit"]["stacks"] == [ON_L4]
    (stack,) = found["stacks"]
    assert stack["cost"]["after"]["monthlyUsdMin"] > 2 * stack["cost"]["before"]["monthlyUsdMin"]
    assert [one["kind"] for one in stack["dangers"]] == ["cost"]


def test_a_template_reaches_every_stack_that_has_its_object(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(repository, DEPLOYMENT, "kind: Deployment\n", "kind: Deployment  # the same\n")
    assert reviewed(repository, capsys)["stacks"] == []
    edit(repository, DEPLOYMENT, "revisionHistoryLimit: ", "paused: true\n  revisionHistoryLimit: ")
    found = reviewed(repository, capsys)
    assert found["toolkit"]["templates"] == [DEPLOYMENT]
    assert found["toolkit"]["stacks"] == [ON_H100, ON_L4]
    assert all("+  paused: true" in file["text"] for one in found["stacks"] for file in one["diff"])
    assert repository.review() == 0
    text = " ".join(capsys.readouterr().out.split())
    assert f"The templates change: {DEPLOYMENT}." in text
    assert f"2 stacks differ because of them or of their own files: {ON_H100}, {ON_L4}." in text


def test_a_catalogue_that_is_only_in_the_working_tree_is_not_read_and_one_that_is_committed_is(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit()
    path = repository.folder / CATALOGUE / "models.yaml"
    path.write_text("not: a catalogue\n", encoding="utf-8")
    assert reviewed(repository, capsys)["stacks"] == []
    repository.commit()
    assert repository.review() == 2
    assert "cannot read the catalogue of that revision" in capsys.readouterr().err


def test_a_catalogue_of_another_form_before_is_said_and_the_newer_one_used(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (repository.folder / CATALOGUE / "models.yaml").read_text(encoding="utf-8")
    edit(repository, f"{CATALOGUE}/models.yaml", text, "not: a catalogue\n")
    edit(repository, f"{CATALOGUE}/models.yaml", "not: a catalogue\n", text)
    note = reviewed(repository, capsys)["toolkit"]["note"]
    assert "cannot read the catalogue of that revision" in note
    assert "planned with the newer" in note


def test_a_catalogue_that_lacked_a_file_before_is_not_taken_for_the_installed_one(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    path = repository.folder / CATALOGUE / "proxy.yaml"
    text = path.read_text(encoding="utf-8")
    path.unlink()
    repository.commit()
    path.write_text(text, encoding="utf-8")
    repository.commit()
    assert "cannot read the catalogue of that revision" in reviewed(repository, capsys)["toolkit"]["note"]


def test_a_change_of_the_program_is_said_to_be_unseen(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository.folder / "infra" / "pipeline.py").write_text("raise SystemExit('this is never run')\n")
    repository.commit()
    assert repository.review() == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "The program changes too (1 file): both sides were planned with the one that runs now." in text


def test_a_template_of_a_revision_cannot_leave_the_sandbox(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = repository.folder / "owned"
    attack = "{{ ''.__class__.__mro__[1].__subclasses__() }}"
    reach = f"{{{{ cycler.__init__.__globals__.os.system('touch {secret}') }}}}"
    for text in (attack, reach):
        edit(repository, DEPLOYMENT, "kind: Deployment\n", f"kind: Deployment\n{text}\n")
        assert repository.review() == 1
        assert "catalogue or templates of that revision cannot be used" in " ".join(capsys.readouterr().out.split())
        edit(repository, DEPLOYMENT, f"kind: Deployment\n{text}\n", "kind: Deployment\n")
    assert not secret.exists()


def test_links_of_a_revision_are_never_followed(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    (repository.folder / CATALOGUE / "models.yaml").unlink()
    (repository.folder / CATALOGUE / "models.yaml").symlink_to("/etc/hostname")
    repository.commit()
    assert repository.review() == 1
    assert "models.yaml: not a file of the toolkit" in capsys.readouterr().err


def test_another_folder_is_read_only_while_it_is_asked_for(repository: Repository) -> None:
    path = repository.folder / CATALOGUE / "prices.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("region: ", "region: elsewhere-"), encoding="utf-8")
    before = load_catalog()
    with using(repository.folder):
        assert load_catalog().price_region.startswith("elsewhere-")
    assert load_catalog() is before


def test_git_makes_no_difference_between_a_toolkit_below_and_at_the_top(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    below = repository.folder / "platform" / "serving"
    below.mkdir(parents=True)
    for part in ("infra", MANIFESTS, "stacks"):
        subprocess.run(["git", "mv", part, str(below)], cwd=repository.folder, check=True)
    repository.commit()
    template = below / DEPLOYMENT
    template.write_text(
        template.read_text(encoding="utf-8").replace("revisionHistoryLimit: ", "paused: true\n  revisionHistoryLimit: ")
    )
    repository.commit()
    repository.stacks = below / "stacks"
    assert reviewed(repository, capsys)["toolkit"]["stacks"] == [ON_H100, ON_L4]
