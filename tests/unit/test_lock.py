"""The lock file: written and read without loss, hostile ones refused, and every plan that names what moves uses it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.batch_job import BatchJob
from infra.document import MAX_BYTES as MOST_STACK_BYTES
from infra.errors import PlanError, SpecError
from infra.git_revisions import Revision
from infra.lock import MAX_BYTES, NO_LOCK, Lock, LockChange, Use, lock_changes, lock_text, parse_lock, settled, to_ask
from infra.lock.file import _parsed
from infra.pipeline import Endpoint, ManagedEndpoint, Platform, build
from infra.stack_folder import StackFolder
from tests.unit.files import CLOUD, HOST, Files, endpoint

DIGEST, COMMIT = f"sha256:{'ab' * 32}", "c0ffee" * 6 + "1234"
HOST_NAME, NAME = r"[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?", r"[a-z0-9]([a-z0-9._-]{0,20}[a-z0-9])?"
IMAGES = st.from_regex(
    rf"{HOST_NAME}(:[0-9]{{1,5}}/{NAME})?(/{NAME}){{0,3}}:[A-Za-z0-9_][A-Za-z0-9_.-]{{0,20}}", fullmatch=True
)
REPOSITORIES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,30}/[A-Za-z0-9][A-Za-z0-9._-]{0,30}", fullmatch=True)
LOCKS = st.builds(
    Lock,
    st.dictionaries(IMAGES, st.from_regex(r"sha256:[0-9a-f]{64}", fullmatch=True), max_size=8),
    # Of digits too: without quotes, those would come back as numbers.
    st.dictionaries(REPOSITORIES, st.from_regex(r"[0-9a-f]{40}|[0-9]{40}|0[0-7]{39}", fullmatch=True), max_size=8),
)


@given(LOCKS)
def test_what_is_written_is_read_back(lock: Lock) -> None:
    read = parse_lock(lock_text(lock), "x")
    assert (dict(read.images), dict(read.repositories)) == (dict(lock.images), dict(lock.repositories))
    assert lock_text(read) == lock_text(lock)


@settings(max_examples=40)
@given(LOCKS, LOCKS)
def test_changes_lead_from_one_lock_to_the_other(before: Lock, after: Lock) -> None:
    found = {kind: dict(before.of_kind(kind)) for kind in ("image", "repository")}
    for one in lock_changes(before, after):
        assert one.before == found[one.kind].pop(one.name, None) != one.after
        if one.after is not None:
            found[one.kind][one.name] = one.after
    assert found == {"image": dict(after.images), "repository": dict(after.repositories)}


def test_a_change_is_one_line_of_the_file() -> None:
    old, new = (Lock({"a:1": DIGEST, "b:1": DIGEST}, {"x/y": commit}) for commit in (COMMIT, "0" * 40))
    pairs = zip(lock_text(old).splitlines(), lock_text(new).splitlines(), strict=True)
    assert [after for before, after in pairs if before != after] == [f'  x/y: "{"0" * 40}"']
    assert lock_changes(old, new) == (LockChange("repository", "x/y", COMMIT, "0" * 40),)
    assert lock_changes(None, None) == ()


GOOD = f'version: 1\nimages:\n  caddy:2: {DIGEST}\nrepositories:\n  a/b: "{COMMIT}"\n'
HOSTILE = {
    "": "x: the file is empty",
    "\n \n": "x: the file is empty",
    "- 1\n": "x:1:1: expected 'key: value'",
    "version: 1\n": "x:1:1: images: missing",
    GOOD.replace("version: 1", "version: 2"): "x:1:10: version: 2 is not known",
    GOOD.replace("version: 1", "version: true"): "x:1:10: version: True is not known",
    GOOD.replace("version: 1\n", ""): "x:1:1: version: missing",
    GOOD + "extra: 1\n": "x:6:1: extra: unknown key. ",
    GOOD.replace(DIGEST, "sha256:AB"): "x:3:12: images.'caddy:2': 'sha256:AB' is not a digest",
    GOOD.replace(DIGEST, "{a: b}"): "x:3:12: images.'caddy:2': {'a': 'b'} is not a digest",
    GOOD.replace("caddy:2", "caddy"): "x:3:3: images.caddy: not an image with its tag",
    GOOD.replace("caddy:2", "caddy:2@sha256:ab"): "not an image with its tag",
    GOOD.replace("caddy:2", "../caddy:2"): "not an image with its tag",
    GOOD.replace("caddy:2", "http://caddy:2"): "not an image with its tag",
    GOOD.replace("caddy:2", "c" * 300 + ":2"): "not an image with its tag",
    GOOD.replace("a/b", "a/b/c"): "x:5:3: repositories.'a/b/c': not a repository of the hub",
    GOOD.replace("a/b", "a/../b"): "not a repository of the hub",
    GOOD.replace("a/b", "a/b?x"): "not a repository of the hub",
    GOOD.replace(COMMIT, "main"): "x:5:8: repositories.'a/b': 'main' is not a commit",
    GOOD.replace(f'"{COMMIT}"', "1" * 40): "is not a commit",
    GOOD.replace("  a/b:", f'  a/b: "{COMMIT}"\n  a/b:'): "duplicate key",
    GOOD.replace(DIGEST, f"&x {DIGEST}"): "anchors and aliases are not accepted",
    GOOD.replace(DIGEST, f"!!python/object:os.system {DIGEST}"): "is not accepted",
    GOOD.replace(DIGEST, f"{DIGEST}\x1b[2J"): "control character",
    GOOD + "---\nversion: 1\n": "second document",
    "images: []\nversion: 1\nrepositories: 1\n": "x:1:9: images: missing, or no mapping",
    GOOD + "#" * MAX_BYTES: "bytes; this file has at most 1,048,576.",
}


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_file_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(SpecError) as error:
        parse_lock(text, "x")
    assert HOSTILE[text] in str(error.value)
    assert str(error.value).isprintable() or "\n" in str(error.value)


def test_every_problem_of_a_file_is_told_at_once() -> None:
    with pytest.raises(SpecError) as error:
        parse_lock(GOOD.replace(DIGEST, "x").replace(COMMIT, "y") + "z: 1\n", "x")
    assert [one.line for one in error.value.problems] == [3, 5, 6]


def test_a_lock_may_be_larger_than_a_stack_file() -> None:
    many = Lock({f"registry.example/team/engine:{number}": DIGEST for number in range(1000)}, {})
    assert len(lock_text(many)) > MOST_STACK_BYTES
    assert len(parse_lock(lock_text(many), "x").images) == 1000


def test_a_fleet_reads_its_lock_once() -> None:
    files = Files(**{f"gemma4_e4b_l4_{word}": endpoint("gemma-4-e4b-it", "l4") for word in "abc"})
    files.lock = lock_text(Lock({"only-here:1": DIGEST}, {}))
    before = _parsed.cache_info().misses
    for word in "abc":
        build(f"gemma4-e4b-l4-{word}", files)
    assert _parsed.cache_info().misses == before + 1


def moving(name: str, files: Any) -> tuple[Use, ...]:
    return build(name, files, demand_lock=False).uses


class Locked:
    """The shipped stack files with a lock."""

    def __init__(self, files: StackFolder, lock: str | None) -> None:
        self.files, self.lock = files, lock

    def __getattr__(self, name: str) -> Any:
        return getattr(self.files, name)

    def lock_text(self) -> str | None:
        return self.lock


def images(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("image"), str):
            yield value["image"]
        for one in value.values():
            yield from images(one)
    elif isinstance(value, list):
        for one in value:
            yield from images(one)


def complete(uses: tuple[Use, ...]) -> Lock:
    """A lock of all of them, each with a value of its own."""
    values = {use: f"{number:040x}" for number, use in enumerate(uses, start=1)}
    answers = {use: value if use.kind == "repository" else f"sha256:{value:0>64}" for use, value in values.items()}
    return settled(NO_LOCK, answers, uses, whole=True)


@pytest.mark.parametrize("name", [path.stem for path in sorted(Path("stacks").glob("gemma4*.yaml"))])
def test_nothing_that_moves_is_left_of_a_stack_that_is_locked(name: str, stacks: StackFolder) -> None:
    """Each shipped stack: a lock of what it says it uses leaves no image without a digest and no branch anywhere."""
    uses = moving(name, stacks)
    lock = complete(uses)
    built = build(name, Locked(stacks, lock_text(lock)))
    assert [use.key for use in built.uses] == [use.key for use in uses]
    assert to_ask(built.uses, upgrade=False) == ()
    assert not isinstance(built, Platform)
    objects = [] if isinstance(built, Endpoint) and built.refusal else built.objects()
    for image in images(objects):
        assert re.search(r":[A-Za-z0-9_.-]+@sha256:[0-9a-f]{64}$", image), image
    shown = repr((built.plan, objects, getattr(built, "service", None), getattr(built, "mac", None)))
    for use in built.uses:
        assert use.value is not None
        assert use.value in shown
    if isinstance(built, Endpoint):
        assert all(one.pinned and re.fullmatch("[0-9a-f]{40}", one.revision) for one in built.plan.weights.downloads)
        assert not any("not pinned" in one or "by its tag" in one for one in built.plan.cautions)
        assert "/main/" not in repr(built.service)
    origins = [one for one in built.plan.decisions if one.origin == "lock"]
    assert len(origins) >= len(uses)
    unlocked = build(name, stacks)
    assert "lock" not in {one.origin for one in unlocked.plan.decisions}  # type: ignore[union-attr]


def test_what_the_stack_file_or_the_catalogue_fixes_wins() -> None:
    own = f"registry.example/team/vllm:v0.33.0@{DIGEST}"
    said = f"weights: {{revision: '{COMMIT}'}}"
    files = Files(
        gemma4_e4b_l4=endpoint("gemma-4-e4b-it", "l4", "vllm", f"engine: {{image: '{own}'}}"),
        gemma4_e4b_fp8_l4=endpoint("gemma-4-e4b-it", "l4", "vllm", "precision: fp8", said),
    )
    fp8 = "RedHatAI/gemma-4-E4B-it-FP8-dynamic"
    wrong = Lock(
        {"registry.example/team/vllm:v0.33.0": f"sha256:{'0' * 64}"}, {fp8: "0" * 40, "google/gemma-4-E4B-it": "0" * 40}
    )
    files.lock = lock_text(wrong)
    catalogued, named = (build(name, files) for name in ("gemma4-e4b-l4", "gemma4-e4b-fp8-l4"))
    assert isinstance(catalogued, Endpoint)
    assert isinstance(named, Endpoint)
    assert catalogued.plan.framework.image == own
    assert catalogued.plan.model.revision == "ee0ef6023621cff504d758262d4e04895a5af4a2"
    assert named.plan.model.revision == named.plan.weights.downloads[0].revision == COMMIT
    for built in (catalogued, named):
        assert {use.kind for use in built.uses} == {"image"}
        assert "registry.example/team/vllm:v0.33.0" not in {use.name for use in built.uses}
        assert "0" * 40 not in repr(built.plan)


def test_an_image_of_ones_own_is_locked_and_then_moves_no_more() -> None:
    own = "registry.example/team/vllm:v0.33.0"
    files = Files(gemma4_e4b_l4=endpoint("gemma-4-e4b-it", "l4", "vllm", f"engine: {{image: '{own}'}}"))
    loose = build("gemma4-e4b-l4", files)
    assert isinstance(loose, Endpoint)
    assert any("which its registry can move" in one for one in loose.plan.cautions)
    files.lock = lock_text(Lock({own: DIGEST}, {}))
    built = build("gemma4-e4b-l4", files)
    assert isinstance(built, Endpoint)
    assert built.plan.framework.image == f"{own}@{DIGEST}"
    assert not any("can move" in one for one in built.plan.cautions)
    (row,) = [one for one in built.plan.decisions if one.field == "framework.image"]
    assert (row.origin, row.reason) == ("lock", "said in the stack file; its digest is that of servestack.lock")


def test_a_platforms_own_repository_hands_on_the_locked_digest() -> None:
    platform = Files().texts["dev"].replace("name: dev", "name: dev, create: true")
    files = Files(dev=platform, gemma4_e4b_l4=endpoint("gemma-4-e4b-it", "l4"))
    uses = moving("gemma4-e4b-l4", files)
    assert [use.name for use in uses] == ["caddy:2.11.7-alpine", "vllm/vllm-openai:v0.33.0"]
    files.lock = lock_text(Lock({use.name: DIGEST for use in uses}, {}))
    built = build("gemma4-e4b-l4", files)
    found = set(images(built.objects()))  # type: ignore[union-attr]
    assert {image.partition("-docker.pkg.dev/")[0] for image in found} == {"us-central1"}
    assert all(image.endswith(f"@{DIGEST}") for image in found)


def test_vertex_ai_gets_the_digest_without_the_tag_and_googles_own_container_is_not_locked(stacks: StackFolder) -> None:
    uses = moving("gemma4-31b-vertex", stacks)
    built = build("gemma4-31b-vertex", Locked(stacks, lock_text(complete(uses))))
    assert isinstance(built, ManagedEndpoint)
    assert built.container is not None
    assert re.fullmatch(r"us-docker.pkg.dev/[a-z0-9/-]+@sha256:[0-9a-f]{64}", built.container.image)
    text = endpoint("gemma-4-31b-it", "h100", "vertex", "vertex: {container: verified}")
    assert moving("gemma4-31b-vertex", Files(dev=CLOUD, gemma4_31b_vertex=text)) == ()


def test_the_weights_of_a_mac_are_locked_and_its_engine_has_no_image() -> None:
    files = Files(dev=HOST, gemma4_e4b_apple_64gb_mlx=endpoint("gemma-4-e4b-it", "apple-64gb", "mlx"))
    (use,) = moving("gemma4-e4b-apple-64gb-mlx", files)
    files.lock = lock_text(Lock({}, {use.name: COMMIT}))
    built = build("gemma4-e4b-apple-64gb-mlx", files)
    assert isinstance(built, Endpoint)
    assert built.mac is not None
    assert built.mac.weights[0][1] == COMMIT


def test_a_job_takes_the_locked_image(stacks: StackFolder) -> None:
    (use,) = moving("gemma4-e2b-l4-keras", stacks)
    built = build("gemma4-e2b-l4-keras", Locked(stacks, lock_text(complete((use,)))))
    assert isinstance(built, BatchJob)
    assert built.plan.framework.image.startswith(f"{use.name}@sha256:")


@settings(max_examples=25, deadline=None)
@given(
    st.sets(st.sampled_from(["caddy:2.11.7-alpine", "vllm/vllm-openai:v0.33.0", "RedHatAI/gemma-4-E4B-it-FP8-dynamic"]))
)
def test_a_platform_that_requires_a_lock_takes_nothing_less(there: set[str]) -> None:
    files = Files(gemma4_e4b_fp8_l4=endpoint("gemma-4-e4b-it", "l4", "vllm", "precision: fp8"))
    files.texts["dev"] += "requireLock: true\n"
    files.lock = lock_text(
        Lock({one: DIGEST for one in there if ":" in one}, {one: COMMIT for one in there if ":" not in one})
    )
    if len(there) == 3:
        build("gemma4-e4b-fp8-l4", files)
        return
    with pytest.raises(PlanError) as error:
        build("gemma4-e4b-fp8-l4", files)
    (problem,) = error.value.problems
    assert (problem.line, problem.field) == (3, "platform")
    named = {use.name for use in moving("gemma4-e4b-fp8-l4", files)}
    assert {one for one in named if one in problem.message} == named - there


def test_a_revision_has_the_lock_of_its_time(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True, capture_output=True)

    git("init", "-q")
    git("config", "user.email", "a@example.com")
    git("config", "user.name", "a")
    folder = tmp_path / "stacks"
    folder.mkdir()
    (folder / "dev.yaml").write_text(Files().texts["dev"])
    texts = [None, GOOD, GOOD.replace(DIGEST, f"sha256:{'0' * 64}")]
    for text in texts:
        if text is not None:
            (folder / "servestack.lock").write_text(text)
        git("add", "-A")
        git("commit", "-q", "--allow-empty", "-m", "x")
    (folder / "servestack.lock").write_text("of the working tree\n")
    found = [Revision(folder, f"HEAD~{back}") for back in (2, 1, 0)]
    assert [one.lock_text() for one in found] == texts
    assert [one.names() for one in found] == [["dev"]] * 3
    (folder / "servestack.lock").unlink()
    (folder / "servestack.lock").symlink_to("/etc/passwd")
    git("add", "-A")
    git("commit", "-q", "-m", "x")
    with pytest.raises(SpecError, match=r"stacks/servestack.lock: not a file"):
        Revision(folder, "HEAD").lock_text()


def test_the_folder_reads_no_lock_that_is_none(tmp_path: Path) -> None:
    folder, file = StackFolder(tmp_path), tmp_path / "servestack.lock"
    assert folder.lock_text() is None
    file.write_bytes(b"\xff")
    with pytest.raises(SpecError, match=r"stacks/servestack.lock: not UTF-8"):
        folder.lock_text()
    file.write_bytes(b" " * (MAX_BYTES + 1))
    with pytest.raises(SpecError, match="a lock file has at most"):
        folder.lock_text()
    file.unlink()
    file.mkdir()
    with pytest.raises(SpecError, match="not a file"):
        folder.lock_text()
