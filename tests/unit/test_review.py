"""`servestack review`: every danger that a change hides is called out in the first screen. Real git throughout."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from infra.cli import main
from infra.pipeline import Endpoint, build
from infra.review import Version
from infra.review.weights import weights_dangers
from infra.toolkit import INSTALLED
from tests.unit.files import PLATFORM, Files, endpoint
from tests.unit.review_repository import Repository

FIRST_SCREEN = 24
NAME = "gemma4-e4b-l4"
E4B = endpoint("gemma-4-e4b-it", "l4", "vllm", "labels: {team: search}")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
OTHER = "fedcba9876543210fedcba9876543210fedcba98"
IMAGE = f"engine: {{image: registry.example.com/vllm:v0.33.0@sha256:{'ab' * 32}}}\n"


SHIPPED = Path(__file__).resolve().parents[2] / "stacks"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    made.commit(dev=PLATFORM, gemma4_e4b_l4=E4B)
    return made


DANGERS = {
    "no longer fits": (
        E4B,
        E4B + "contextLength: 131072\nconcurrency: 500\n",
        1,
        "refused after the change: memory does not fit: ",
    ),
    "over budget": (E4B, E4B + "budgetUsdPerMonth: 5\n", 1, "refused after the change"),
    "no budget": (E4B + "budgetUsdPerMonth: 9000\n", E4B, 0, "budgetUsdPerMonth was 9,000 USD"),
    "doubled bill": (E4B, E4B + "replicas: {min: 2}\n", 0, "2.0 times what it was"),
    "no key": (
        E4B,
        E4B + "expose: {authentication: none, reason: a closed laboratory of ours}\n",
        0,
        "authentication is switched off",
    ),
    "open network": (
        E4B,
        E4B + "expose: {clients: [{namespace: web, labels: {app: shop}}]}\n",
        0,
        "pods with app=shop of namespace web may call it now, at port 8090",
    ),
    "public": (
        E4B,
        E4B + "expose: {gateway: {hostname: gemma.example.com, scope: external, certificate: {map: gemma}}}\n",
        0,
        "it is open to the internet from now on, at https://gemma.example.com",
    ),
    "latest": (E4B, E4B + "engine: {image: registry.example.com/vllm:latest}\n", 1, "moving image"),
    "tag": (E4B + IMAGE, E4B + "engine: {image: registry.example.com/vllm:v0.33.0}\n", 0, "a tag, which can move"),
    "weights": (
        E4B + f"weights: {{revision: {COMMIT}}}\n",
        E4B + f"weights: {{revision: {OTHER}}}\n",
        0,
        "other weights",
    ),
    "unpinned weights": (E4B + f"weights: {{revision: {COMMIT}}}\n", E4B, 0, "other weights"),
    "no second replica": (
        E4B + "replicas: {min: 2, max: 2}\n",
        E4B,
        0,
        "roll-outs were without downtime, and are not any more: about",
    ),
    "spot machines": (E4B, E4B + "capacity: [spot]\n", 0, "machines are missing rises from medium to high: spot"),
    "machines replaced": (E4B, E4B + "capacity: [spot]\n", 0, "machines are replaced: downtime about"),
    "another registry": (
        E4B + IMAGE,
        E4B + IMAGE.replace("registry.example.com", "elsewhere.example.net"),
        0,
        "comes from elsewhere.example.net, not from registry.example.com",
    ),
    "more rights": (
        E4B,
        E4B + "weights: {source: gcs, bucket: weights-of-ours, path: gemma}\n",
        0,
        "may do more: roles/storage.objectViewer on gs://weights-of-ours",
    ),
    "dearer at the most": (
        E4B,
        E4B + "replicas: {min: 1, max: 4}\n",
        0,
        "its highest cost is 4.0 times what it was",
    ),
    "wrong file": (E4B, E4B + "modle: x\n", 1, "unknown key"),
}


@pytest.mark.parametrize("case", DANGERS)
def test_a_danger_is_called_out_in_the_first_screen(
    case: str, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after, code, said = DANGERS[case]
    repository.commit(gemma4_e4b_l4=before)
    repository.commit(gemma4_e4b_l4=after)
    assert repository.review() == code
    lines = capsys.readouterr().out.splitlines()
    first = " ".join(line.strip() for line in lines[:FIRST_SCREEN])
    assert "DANGERS ! gemma4-e4b-l4: " in first
    assert said in first
    assert all(len(line) <= 80 for line in lines)


@pytest.mark.parametrize("case", DANGERS)
def test_the_change_back_is_no_danger_of_the_same_kind(
    case: str, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after, _, said = DANGERS[case]
    repository.commit(gemma4_e4b_l4=after)
    repository.commit(gemma4_e4b_l4=before)
    assert repository.review() == 0
    text = " ".join(line.strip() for line in capsys.readouterr().out.splitlines())
    if "weights" not in case and case != "machines replaced":
        assert said not in text


def test_another_form_of_the_same_content_has_no_effect(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = E4B.splitlines()
    repository.commit(gemma4_e4b_l4="# said otherwise\n" + "\n\n".join([*lines[:2], *reversed(lines[2:])]) + "\n")
    assert repository.review() == 0
    assert f"No effect on 1 stack, nothing that runs changes: {NAME}." in capsys.readouterr().out
    repository.commit()
    assert repository.review() == 0
    assert "No stack changes" in capsys.readouterr().out


def test_a_change_says_what_its_users_notice_with_numbers(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit(gemma4_e4b_l4=E4B + "contextLength: 8192\nconcurrency: 2\n")
    capsys.readouterr()
    repository.commit(gemma4_e4b_l4=E4B + "contextLength: 16384\nconcurrency: 1\ntools: true\ncapacity: [spot]\n")
    assert repository.review() == 0
    text = " ".join(line.strip() for line in capsys.readouterr().out.splitlines())
    assert "at most 16,384 tokens, question and answer together; before, 8,192 tokens." in text
    assert "Longer ones are refused" not in text
    assert "proved to serve 1 full-length request at once; before, 2. More than that may wait." in text
    assert "Tool calls come back as such now." in text
    assert "Every pod restarts (replace), about " in text
    assert "Downtime while it is rolled out: about " in text
    assert "Objects of the cluster that are changed: " in text
    assert "memory proof: " in text
    assert " GiB to spare, as before" in text or " GiB to spare -> " in text
    assert "The machines are replaced: new node pools are made" in text
    assert "risk that machines are missing rises from medium to high: spot" in text
    assert "rules checked, all kept" in text
    assert " USD a month" in text


def test_a_version_that_the_catalogue_names_is_no_danger(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit(gemma4_e4b_l4_two=E4B)
    assert repository.review() == 0
    assert "No danger that this review knows." in capsys.readouterr().out


def test_every_shipped_stack_can_come_and_go(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    shipped = {path.stem: path.read_text(encoding="utf-8") for path in SHIPPED.glob("*.yaml")}
    repository.commit(dev=None, gemma4_e4b_l4=None)
    repository.commit(**shipped)
    repository.commit(**dict.fromkeys(shipped))
    assert repository.review("--head", "HEAD~1", "--base", "HEAD~2") == 0
    added = capsys.readouterr().out
    assert repository.review() == 0
    deleted = capsys.readouterr().out
    for name in shipped:
        assert f"\n{name}: added (" in added
        assert f"\n{name}: deleted (" in deleted
    assert all(len(line) <= 80 for line in [*added.splitlines(), *deleted.splitlines()])
    assert "None" not in added


def test_the_gravest_danger_of_all_stacks_comes_first(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit(gemma4_e4b_l4=E4B + IMAGE, gemma4_e4b_l4_two=E4B)
    repository.commit(
        gemma4_e4b_l4=E4B + "engine: {image: registry.example.com/vllm:v0.33.0}\n",
        gemma4_e4b_l4_two=E4B + "modle: x\n",
    )
    assert repository.review() == 1
    shown = [line.split(":")[0] for line in capsys.readouterr().out.splitlines() if line.startswith("! ")]
    assert shown == ["! gemma4-e4b-l4-two", "! gemma4-e4b-l4"]


def test_costs_are_summed_by_team(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    other = E4B.replace("team: search", "team: shop")
    repository.commit(gemma4_e4b_l4_two=other, gemma4_e4b_l4=E4B + "replicas: {min: 2}\n")
    assert repository.review("--json") == 0
    found = json.loads(capsys.readouterr().out)
    by_team = {one["team"]: one for one in found["teams"]}
    stacks = {one["stack"]: one for one in found["stacks"]}
    assert by_team["search"]["after"] == pytest.approx(2 * by_team["search"]["before"])
    paid = stacks["gemma4-e4b-l4-two"]["cost"]["after"]["monthlyUsdMin"]
    assert by_team["shop"] == {"team": "shop", "before": 0, "after": paid}
    assert stacks["gemma4-e4b-l4-two"]["kind"] == "added"
    assert [one["kind"] for one in stacks[NAME]["dangers"]] == ["cost"]


def test_a_refused_stack_counts_as_it_runs_in_the_fleet_and_in_the_bill(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit(gemma4_e4b_l4=E4B + "modle: x\n", gemma4_e4b_l4_two=E4B)
    capsys.readouterr()
    assert repository.review("--json") == 1
    broken = json.loads(capsys.readouterr().out)
    repository.commit(gemma4_e4b_l4=E4B)
    assert repository.review("--json") == 0
    mended = json.loads(capsys.readouterr().out)
    before, after = (broken["fleet"][side] for side in ("before", "after"))
    assert (before["endpoints"], before["accelerators"]) == (1, {"l4": 1})
    assert (after["endpoints"], after["accelerators"]) == (2, {"l4": 2})
    assert mended["fleet"]["before"] == mended["fleet"]["after"] == after
    for found in (broken, mended):
        for side in ("before", "after"):
            together = sum(one[side] for one in found["teams"])
            assert found["fleet"][side]["monthlyUsdMin"] == pytest.approx(together)


def test_a_deleted_stack_says_what_it_takes_away(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    repository.commit(gemma4_e4b_l4=None)
    assert repository.review() == 0
    text = capsys.readouterr().out
    assert f"{NAME}: deleted (gemma-4-e4b-it, vllm, 1 x l4 on platform dev)" in text
    assert "Callers lose gemma-4-e4b-it on platform dev: every request to it fails" in text
    assert "Approve if nobody calls it any more; it costs " in text
    assert "USD a month less" in " ".join(text.split())


def _json(repository: Repository, capsys: pytest.CaptureFixture[str]) -> dict[str, list[dict[str, object]]]:
    capsys.readouterr()
    repository.review("--json")
    found: dict[str, list[dict[str, object]]] = json.loads(capsys.readouterr().out)
    return found


def test_nothing_of_the_working_tree_is_read_or_changed(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit(gemma4_e4b_l4=E4B + "tools: true\n")
    mine = repository.folder / "stacks" / f"{NAME}.yaml"
    mine.write_text("half: written", encoding="utf-8")
    before = (
        repository.git("status", "--porcelain"),
        repository.git("rev-parse", "HEAD"),
        repository.git("stash", "list"),
    )
    assert repository.review() == 0
    assert "Tool calls come back as such now." in capsys.readouterr().out
    assert mine.read_text(encoding="utf-8") == "half: written"
    after = (
        repository.git("status", "--porcelain"),
        repository.git("rev-parse", "HEAD"),
        repository.git("stash", "list"),
    )
    assert after == before


def test_a_link_in_a_revision_is_never_followed(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    (repository.folder / "stacks" / "gemma4-e4b-l4-two.yaml").symlink_to("/etc/hostname")
    repository.commit()
    assert repository.review() == 1
    assert "gemma4-e4b-l4-two.yaml: not a file" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("revision", ["nowhere", "--output=x", "", "HEAD:stacks"])
def test_an_unknown_revision_is_said_in_one_line(
    revision: str, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    stacks = str(repository.folder / "stacks")
    assert main(["review", "--stacks", stacks, f"--base={revision}"]) == 2
    assert "is no revision" in capsys.readouterr().err
    assert not (repository.folder / "x").exists()


def test_a_folder_that_is_in_no_repository_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["review", "--stacks", str(tmp_path), "--base", "HEAD"]) == 1
    assert "git: " in capsys.readouterr().err


def test_what_others_did_since_is_no_part_of_the_change(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.git("checkout", "-q", "-b", "mine")
    repository.commit(gemma4_e4b_l4_two=E4B)
    repository.git("checkout", "-q", "main")
    repository.commit(gemma4_e4b_l4=E4B + "tools: true\n")
    assert repository.review("--base", "main", "--head", "mine", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [(one["stack"], one["kind"]) for one in found["stacks"]] == [("gemma4-e4b-l4-two", "added")]
    assert repository.review("--base", "main", "--head", "main~1", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [(one["stack"], one["kind"]) for one in found["stacks"]] == [(NAME, "changed")]
    repository.git("checkout", "-q", "--orphan", "apart")
    repository.commit(gemma4_e4b_l4=E4B + "reasoning: true\n")
    assert repository.review("--base", "mine", "--head", "apart") == 0


def test_what_is_not_committed_is_said_to_be_left_out(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit(gemma4_e4b_l4=E4B + "tools: true\n")
    assert repository.review() == 0
    assert capsys.readouterr().err == ""
    (repository.stacks / f"{NAME}.yaml").write_text(E4B, encoding="utf-8")
    assert repository.review() == 0
    said = capsys.readouterr()
    assert "1 file of " in said.err
    assert "is not committed, and no part of this review." in said.err
    assert "Tool calls come back as such now." in said.out


def test_another_drafter_is_a_danger_as_other_weights_are() -> None:
    files = Files(
        gemma4_31b_h100=endpoint("gemma-4-31b-it", "h100", "vllm", "capacity: [spot]", "speculativeDecoding: true")
    )
    built = build("gemma4-31b-h100", files)
    assert isinstance(built, Endpoint)
    moved = [
        dataclasses.replace(one, revision=COMMIT) if one.repository == built.plan.model.drafter else one
        for one in built.plan.weights.downloads
    ]
    assert moved != list(built.plan.weights.downloads)
    weights = dataclasses.replace(built.plan.weights, downloads=tuple(moved))
    plan = dataclasses.replace(built.plan, weights=weights)
    other = dataclasses.replace(built, resolved=dataclasses.replace(built.resolved, plan=plan))
    sides = [Version(built.name, "x.yaml", "", one, None, INSTALLED) for one in (built, other)]
    (found,) = list(weights_dangers(*sides))
    assert str(built.plan.model.drafter) in found[0]
    assert COMMIT[:12] in found[0]


def test_two_folders_are_compared_without_a_repository(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for side, text in (("before", E4B), ("after", E4B + "tools: true\n")):
        folder = tmp_path / side
        folder.mkdir()
        (folder / "dev.yaml").write_text(PLATFORM, encoding="utf-8")
        (folder / f"{NAME}.yaml").write_text(text, encoding="utf-8")
    sides = [str(tmp_path / side) for side in ("before", "after")]
    assert main(["review", *sides, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["stack"] for one in found["stacks"]] == [NAME]
    assert main(["review", sides[0], sides[0]]) == 0
    assert "No stack changes between" in capsys.readouterr().out
    for wrong in (sides[:1], [*sides, "--base", "HEAD"], [sides[0], str(tmp_path / "none")], []):
        assert main(["review", *wrong]) == 2
        assert "Traceback" not in capsys.readouterr().err


def test_a_danger_names_the_line_of_its_field(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    text = E4B + "replicas: {min: 2}\nexpose: {authentication: none, reason: a closed laboratory of ours}\n"
    repository.commit(gemma4_e4b_l4=text)
    (stack,) = _json(repository, capsys)["stacks"]
    lines = text.splitlines()
    for danger in stack["dangers"]:  # type: ignore[attr-defined]
        word = {"cost": "replicas", "authentication-off": "authentication"}[danger["kind"]]
        assert danger["path"] == f"stacks/{NAME}.yaml"
        assert word in lines[danger["line"] - 1]


def test_what_is_refused_counts_in_the_bill_as_it_runs_today(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit(gemma4_e4b_l4=E4B + "modle: x\n")
    capsys.readouterr()
    assert repository.review("--json") == 1
    (team,) = [one for one in json.loads(capsys.readouterr().out)["teams"] if one["team"] == "search"]
    assert team["before"] == team["after"] > 0
