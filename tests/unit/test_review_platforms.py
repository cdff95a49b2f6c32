"""Changes of platforms: what opens, what loses its protection, what is made anew, and the stacks that go with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.files import PLATFORM, endpoint
from tests.unit.review_repository import Repository

FIRST_SCREEN = 24
NAME = "gemma4-e4b-l4"
E4B = endpoint("gemma-4-e4b-it", "l4", "vllm", "labels: {team: search}")
LOST_PROTECTION = PLATFORM.replace("deletionProtection: false", "deletionProtection: true")
CREATED = PLATFORM.replace("{name: dev}", "{name: dev, create: true}").replace("gke: {", "gke: {%s")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    made.commit(dev=PLATFORM, gemma4_e4b_l4=E4B)
    return made


def _json(repository: Repository, capsys: pytest.CaptureFixture[str]) -> dict[str, list[dict[str, object]]]:
    capsys.readouterr()
    repository.review("--json")
    found: dict[str, list[dict[str, object]]] = json.loads(capsys.readouterr().out)
    return found


def test_protection_that_is_switched_off_is_a_danger(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit(dev=LOST_PROTECTION)
    repository.commit(dev=PLATFORM)
    assert repository.review() == 0
    first = " ".join(line.strip() for line in capsys.readouterr().out.splitlines()[:FIRST_SCREEN])
    assert "! dev: deletionProtection is switched off" in first


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("authorizedNetworks: [10.0.0.0/24], ", "authorizedNetworks: [10.0.0.0/24, 192.0.2.0/24], ", "192.0.2.0/24"),
        ("authorizedNetworks: [10.0.0.0/24], ", "", "authorizedNetworks is gone"),
        ("budget: {billingAccount: 000000-000000-000000, usdPerMonth: 9}, ", "", "budget alert is removed"),
    ],
)
def test_a_platform_that_opens_up_is_a_danger(
    before: str, after: str, said: str, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit(dev=CREATED % before)
    repository.commit(dev=CREATED % after)
    assert repository.review() == 0
    assert said in " ".join(capsys.readouterr().out.split())
    repository.commit(dev=CREATED % before)
    assert repository.review() == 0
    assert said not in " ".join(capsys.readouterr().out.split()).partition("DANGERS")[2].partition("Cost")[0]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("location: us-central1", "location: us-east4", "another cluster, and all endpoints on it are gone"),
        ("cluster: {name: dev", "cluster: {name: other", "another cluster, and all endpoints on it are gone"),
        ("", "bucket: {name: weights-of-ours}, ", ""),
        ("bucket: {name: weights-of-ours}, ", "bucket: {name: weights-of-others}, ", "another bucket"),
    ],
)
def test_a_platform_that_is_made_anew_is_a_danger(
    before: str, after: str, said: str, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = (CREATED % (one if one.endswith(", ") else "") for one in (before, after))
    if not after.endswith(", "):
        second = first.replace(before, after)
        assert first != second
    repository.commit(dev=first)
    capsys.readouterr()
    repository.commit(dev=second)
    repository.review()
    dangers = " ".join(capsys.readouterr().out.split()).partition("Cost")[0]
    assert said in dangers
    assert bool(said) == ("DANGERS" in dangers)


def test_a_platform_that_no_longer_requires_a_lock_is_a_danger(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit(dev=PLATFORM + "requireLock: true\n")
    capsys.readouterr()
    repository.commit(dev=PLATFORM)
    repository.review()
    assert "! dev: requireLock is switched off" in capsys.readouterr().out


def test_a_platform_that_goes_takes_its_stacks_with_it_in_the_review(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit(dev=None)
    assert repository.review() == 1
    shown = {one["stack"]: one["kind"] for one in _json(repository, capsys)["stacks"]}
    assert shown == {"dev": "deleted", NAME: "refused"}


def test_a_platform_reaches_the_stacks_that_name_it(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    repository.commit(dev=PLATFORM.replace("us-central1", "antarctica1"))
    assert repository.review() == 1
    assert [one["stack"] for one in _json(repository, capsys)["stacks"]] == ["dev", NAME]
