"""`servestack plan X --live` with the real Google client against a loopback Vertex AI, in order and in every fault."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from google.auth import exceptions as authentication

from infra.catalog.loader import load_catalog
from infra.live import asking
from infra.live.findings import Live
from infra.live.vertex import _answers
from infra.pipeline import ManagedEndpoint, build
from infra.plan.managed import ManagedPlan
from infra.stack_folder import StackFolder
from infra.vertex.clients import ADDRESS_VARIABLE, connect
from infra.vertex.offer import Offer
from simulator.managed.errors import DENIED, MISSING
from simulator.managed.faults import Fault
from simulator.managed.vertex_messages import show
from simulator.managed.world import World
from tests.vertex.conftest import QUICK
from tests.vertex.live_stacks import SECRETS, Runs, answer_with

STACK = "gemma4-31b-vertex"
TOKEN = SECRETS["GOOGLE_OAUTH_ACCESS_TOKEN"]
EXHAUSTED, UNAVAILABLE, UNAUTHENTICATED = 8, 14, 16
IMAGE = "us-docker.pkg.dev/vertex-ai/vertex-vision-model-garden-dockers/pytorch-vllm-serve:gemma4"


@pytest.fixture
def runs(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Runs:
    for name, value in {**SECRETS, ADDRESS_VARIABLE: address}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(asking, "PACE", QUICK)
    return Runs(tmp_path, capfd)


def planned(folder: Path, stack: str = STACK) -> ManagedPlan:
    built = build(stack, StackFolder(folder))
    assert isinstance(built, ManagedEndpoint)
    return built.plan


def option(machine: str, accelerator: str | int, count: int, *args: str, image: str = IMAGE) -> dict[str, Any]:
    spec = {"machineType": machine, "acceleratorType": accelerator, "acceleratorCount": count}
    return {
        "dedicatedResources": {"machineSpec": spec, "minReplicaCount": 1},
        "containerSpec": {"imageUri": image, "args": list(args)},
    }


def publish(monkeypatch: pytest.MonkeyPatch, *options: dict[str, Any], **fields: Any) -> None:
    """Make the catalogue answer with these deployments for whatever model is asked."""
    actions = {"multiDeployVertex": {"multiDeployVertex": list(options)}}
    model = {"name": "publishers/google/models/gemma4", "supportedActions": actions, **fields}
    publish_body(monkeypatch, show("v1beta1", "PublisherModel", model))


def publish_body(monkeypatch: pytest.MonkeyPatch, body: Any) -> None:
    """Make the catalogue answer with this body."""
    answer_with(monkeypatch, "publisher.get", r"/v1beta1/publishers/[^/]+/models/[^/:]+", body)


def test_a_plan_that_google_can_keep_is_told_with_all_offers_and_their_marks(world: World, runs: Runs) -> None:
    done = runs.live(STACK)
    assert (done.code, done.err) == (0, "")
    assert "a3-highgpu-1g, 1 x NVIDIA_H100_80GB (h100): as planned" in done.out
    assert "g4-standard-48, 1 x NVIDIA_RTX_PRO_6000 (rtxpro6000): not marked" in done.out
    assert "licence     accepted in project shop-prod" in done.out
    assert "agrees" in done.out
    assert "differs" not in done.out
    read, check = world.calls
    assert read.path.startswith("/v1beta1/publishers/google/models/gemma4%40gemma-4-31b-it?")
    assert "includeEquivalentModelGardenModelDeploymentConfigs=true" in read.path
    assert (check.route, check.body) == ("eula.check", {"publisherModel": "publishers/google/models/gemma4"})
    assert check.path.startswith("/v1beta1/projects/shop-prod/")
    assert not [call for call in world.calls if any(one in str(call.headers) for one in SECRETS.values())]


def test_json_is_the_plan_s_with_one_key_more(runs: Runs) -> None:
    plain, done = json.loads(runs.plan(STACK, "--json").out), json.loads(runs.plan(STACK, "--json", "--live").out)
    live = done.pop("live")
    assert done == plain
    assert "live" not in plain
    assert live["keepsPlan"] is True
    assert live["licenceAccepted"] is True
    assert live["error"] == ""
    assert [(one["machineType"], one["marked"], one["planned"]) for one in live["offers"]] == [
        ("a3-highgpu-1g", True, True),
        ("g4-standard-48", False, False),
    ]


def test_the_container_of_an_offer_is_told_and_compared(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--tensor-parallel-size=1", "--max-model-len", "16384", "--limit-mm-per-prompt=" + "x" * 90)
    publish(monkeypatch, option("a3-highgpu-1g", "NVIDIA_H100_80GB", 1, *words, image="elsewhere/vllm:7"))
    done = runs.live(STACK)
    assert done.code == 0
    assert "--max-model-len 16384" in done.out
    assert re.search(r"differs +the plan's image is\s.*Model\s+Garden's\s+own\s+elsewhere/vllm:7", done.out, re.DOTALL)
    own = f"there take 16,384 tokens, the plan's {planned(tmp_path).context.max_model_len:,}"
    assert own in " ".join(done.out.split())
    (offer,) = runs.plan(STACK, "--json", "--live").live["offers"]
    assert (offer["maxModelLen"], tuple(offer["args"])) == (16384, words)
    assert "16,384 tokens" in runs.live("gemma4-31b-vertex-verified").out


def test_a_planned_machine_that_is_not_offered_fails_with_the_nearest_that_is(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(
        monkeypatch,
        option("a3-megagpu-8g", "NVIDIA_H100_MEGA_80GB", 8),
        option("a2-ultragpu-1g", "NVIDIA_A100_80GB", 1),
        option("g2-standard-12", "NVIDIA_L4", 1),
    )
    done = runs.live("gemma4-26b-a4b-vertex")
    assert done.code == 1
    flat = " ".join(done.out.split())
    assert "Model Garden does not offer g4-standard-48 with 1 x NVIDIA_RTX_PRO_6000 today" in flat
    assert "nearest that it offers: a2-ultragpu-1g with 1 x NVIDIA_A100_80GB" in flat
    assert "write accelerator: {type: a100-80gb, count: 1}" in flat
    assert "agrees" not in flat
    assert runs.plan("gemma4-26b-a4b-vertex", "--live", "--json").live["keepsPlan"] is False


def test_the_same_accelerator_in_another_number_is_nearer_than_another_kind(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(
        monkeypatch, option("g4-standard-48", "NVIDIA_RTX_PRO_6000", 1), option("a3-highgpu-2g", "NVIDIA_H100_80GB", 2)
    )
    flat = " ".join(runs.live(STACK).out.split())
    assert "nearest that it offers: a3-highgpu-2g with 2 x NVIDIA_H100_80GB: the catalogue does not mark it" in flat


def test_what_the_catalogue_marks_and_google_no_longer_offers_is_told(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(monkeypatch, option("g4-standard-48", "NVIDIA_RTX_PRO_6000", 1))
    done = runs.live("gemma4-26b-a4b-vertex")
    assert done.code == 0
    assert "the catalogue marks a2-ultragpu-1g with 1 x NVIDIA_A100_80GB" in " ".join(done.out.split())


def test_no_offers_at_all_fail(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(monkeypatch)
    done = runs.live(STACK)
    assert done.code == 1
    assert "offers no machine at all for google/gemma4@gemma-4-31b-it" in " ".join(done.out.split())


def test_hardware_that_the_client_does_not_know_and_text_that_moves_the_cursor_are_told_safely(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = f"x/\x1b[2Jy:{TOKEN}"
    publish(monkeypatch, option("a9-hypergpu-1g", 4711, 1, image=image), option("c3-highcpu-4", 0, 0))
    done = runs.live(STACK)
    assert done.code == 1
    assert "a9-hypergpu-1g, 1 x ACCELERATOR_TYPE_4711: not marked" in done.out
    assert "c3-highcpu-4, no accelerator: not marked" in done.out
    assert "\x1b" not in done.out


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (DENIED, r"\(403\): .*roles/aiplatform.user.*\n  gcloud auth application-default set-quota-project shop-prod"),
        (EXHAUSTED, r"\(429\): .*Try again later"),
        (UNAVAILABLE, r"\(503\): .*Try again later"),
        (UNAUTHENTICATED, r"gcloud auth application-default login"),
        (13, "no answer"),
    ],
)
def test_an_answer_that_is_an_error_is_one_sentence_and_what_to_do(
    world: World, runs: Runs, code: int, told: str
) -> None:
    world.faults.append(Fault("publisher.get", code=code, message=f"bearer {TOKEN}\x07 is refused", times=99))
    done = runs.live(STACK)
    assert (done.code, done.out) == (1, "")
    assert re.search(told, done.err, re.DOTALL)
    assert "\x07" not in done.err
    live = runs.plan(STACK, "--json", "--live").live
    assert (live["keepsPlan"], live["offers"]) == (None, [])
    assert live["error"]
    assert TOKEN not in live["error"]


@pytest.mark.parametrize("body", ["a proxy's page", [], {}, {"name": 7}, {"supportedActions": "all"}])
@pytest.mark.parametrize("stack", [STACK, "gemma4-26b-a4b-vertex-serverless"])
def test_an_answer_of_something_else_is_one_sentence(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, stack: str, body: Any
) -> None:
    publish_body(monkeypatch, body)
    done = runs.live(stack)
    assert (done.code, done.out) == (1, "")
    assert "Model Garden could not be asked" in done.err


@pytest.mark.parametrize(
    ("words", "tokens"),
    [
        (("--max-model-len=8192",), 8192),
        (("python3", "-m", "vllm", "--max-model-len", "8192", "--port=1"), 8192),
        (("--max_model_len=8192",), 8192),
        (("--max-model-len",), None),
        (("--max-model-len=auto",), None),
        (("--max-model-length=5", "--model=8192"), None),
        ((), None),
    ],
)
def test_the_longest_request_is_read_from_arguments_in_each_of_vllm_s_spellings(
    words: tuple[str, ...], tokens: int | None
) -> None:
    assert Offer("m", "a", 1, args=words).max_model_len == tokens
    assert Offer("m", "a", 1, command=words).max_model_len == tokens


def test_a_model_that_model_garden_does_not_know_differs(world: World, runs: Runs) -> None:
    world.faults.append(Fault("publisher.get", code=MISSING))
    done = runs.live(STACK)
    assert done.code == 1
    assert "catalogue has no publishers/google/models/gemma4@gemma-4-31b-it" in " ".join(done.out.split())
    assert "eula.check" not in world.routes()


@pytest.mark.parametrize("fault", [{"code": UNAVAILABLE}, {"code": EXHAUSTED}, {"cut": True}, {"code": 13}])
@pytest.mark.parametrize("route", ["publisher.get", "eula.check"])
def test_a_google_that_is_busy_or_cuts_is_asked_again(
    world: World, runs: Runs, route: str, fault: dict[str, Any]
) -> None:
    world.faults.append(Fault(route, times=2, **fault))
    assert runs.live(STACK).code == 0
    assert world.routes().count(route) == 3


def test_a_connection_that_is_cut_every_time_ends_in_a_sentence(world: World, runs: Runs) -> None:
    world.faults.append(Fault("publisher.get", cut=True, times=99))
    done = runs.live(STACK)
    assert (done.code, done.out) == (1, "")
    assert "no answer from Google (ConnectionError)" in " ".join(done.err.split())


def test_an_answer_that_does_not_come_is_given_up(world: World, runs: Runs, tmp_path: Path) -> None:
    world.faults.append(Fault("publisher.get", slow=True, times=99))
    live = asking.ask(planned(tmp_path), load_catalog(), replace(QUICK, attempts=2, call_seconds=0.2))
    assert "no answer from Google (ReadTimeout)" in live.error
    assert not world.over.is_set()  # the server still holds both answers back
    assert world.routes() == ["publisher.get"] * 2


@pytest.mark.parametrize(
    ("stack", "told"),
    [(STACK, "deployment is refused until"), ("gemma4-31b-vertex-accepts", "`pulumi up` accepts it")],
)
def test_a_licence_that_is_not_accepted_is_told_with_what_the_plan_does(
    world: World, runs: Runs, stack: str, told: str
) -> None:
    world.licence_asked = True
    done = runs.live(stack)
    assert done.code == 0
    assert "not accepted in project shop-prod" in done.out
    assert told in " ".join(done.out.split())
    assert runs.plan(stack, "--json", "--live").live["licenceAccepted"] is False
    assert "eula.accept" not in world.routes()


def test_a_licence_that_may_not_be_read_leaves_the_offers_and_fails(world: World, runs: Runs) -> None:
    world.faults.append(Fault("eula.check", code=DENIED, times=99))
    done = runs.live(STACK)
    assert done.code == 1
    assert "as planned" in done.out
    assert "licence" not in done.out
    assert "(403)" in done.err


def test_a_licence_that_google_has_no_record_of_is_no_error(world: World, runs: Runs) -> None:
    world.faults.append(Fault("eula.check", code=MISSING))
    done = runs.live(STACK)
    assert done.code == 0
    assert "Google has no record of it" in done.out


def test_what_google_says_of_a_serverless_model_is_told(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(monkeypatch, launchStage="PUBLIC_PREVIEW", versionId="001")
    done = runs.live("gemma4-26b-a4b-vertex-serverless")
    assert done.code == 0
    assert "PUBLIC_PREVIEW, version 001" in done.out
    assert "no request was made" in done.out


def test_a_serverless_model_is_asked_for_by_its_own_name(world: World, runs: Runs) -> None:
    assert runs.live("gemma4-26b-a4b-vertex-serverless").code == 0
    (call,) = world.calls
    assert call.path.startswith("/v1beta1/publishers/google/models/gemma-4-26b-a4b-it-maas?")


def test_a_serverless_model_that_is_gone_fails(world: World, runs: Runs) -> None:
    world.faults.append(Fault("publisher.get", code=MISSING))
    done = runs.live("gemma4-26b-a4b-vertex-serverless")
    assert done.code == 1
    assert "differs     Model Garden's catalogue has no" in done.out


@pytest.mark.parametrize("file", ["", "there-is-no-such-file.json", "wrong.json"])
def test_without_credentials_the_plan_is_printed_and_the_command_named(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    monkeypatch.delenv(ADDRESS_VARIABLE)
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "no-gcloud"))
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    (tmp_path / "wrong.json").write_text(f'{{"type": "{TOKEN}"}}')
    if file:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / file))
    done = runs.live(STACK)
    assert (done.code, done.out) == (1, "")
    if file:
        assert "GOOGLE_APPLICATION_CREDENTIALS" in done.err
        assert "application-default login" in " ".join(done.err.split())
    else:
        assert done.err == "no Google credentials; run: gcloud auth application-default login\n"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (authentication.RefreshError(f"invalid_grant {TOKEN}"), "no more; run: gcloud auth application-default login"),
        (authentication.TransportError(f"no route {TOKEN}"), "cannot be reached"),
    ],
)
def test_credentials_that_fail_later_are_one_sentence(runs: Runs, tmp_path: Path, error: Exception, told: str) -> None:
    def look(*_: Any) -> Live:
        raise error

    live = _answers(Live("model-garden", "x", "y"), planned(tmp_path), QUICK, look)
    assert told in live.error
    assert TOKEN not in live.error


def test_only_this_machine_stands_in_for_google(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ADDRESS_VARIABLE, "http://10.1.2.3:80")
    done = runs.live(STACK)
    assert done.code == 1
    assert f"{ADDRESS_VARIABLE} must be http://127.0.0.1:PORT" in " ".join(done.err.split())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--all"], "one managed endpoint"),
        (["gemma4-31b-h100"], "is a job or an endpoint on your own machines"),
        (["cloud"], "is a Platform"),
        (["dev"], "is a Platform"),
        ([STACK, "gemma4-31b-gemini"], "one managed endpoint"),
        ([STACK, "--html", "page.html"], "its plan is text"),
        (["gemma4-31b-gemini", "--by", "team"], "--all"),
    ],
)
def test_live_is_refused_where_google_has_nothing_to_say(
    world: World, runs: Runs, arguments: list[str], told: str
) -> None:
    done = runs.plan(*arguments, "--live")
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert not world.calls


@pytest.mark.parametrize("stack", [STACK, "gemma4-31b-gemini"])
def test_a_plan_that_is_not_live_imports_no_client_and_asks_nobody(
    world: World, runs: Runs, tmp_path: Path, root: Path, stack: str
) -> None:
    program = (
        "import sys\nfrom infra.cli import main\n"
        f"assert main(['plan', {stack!r}, '--stacks', {str(tmp_path)!r}]) == 0\n"
        "clients = {'google.api_core', 'google.auth', 'google.genai', 'google.protobuf', 'grpc', 'httpx', 'requests'}\n"
        "assert not clients & set(sys.modules), clients & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=root, check=True, stdout=subprocess.DEVNULL)
    assert not world.calls


def test_offers_are_read_where_google_keeps_its_catalogue_whatever_the_region(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "user.json"
    file.write_text('{"type": "authorized_user", "client_id": "x", "client_secret": "x", "refresh_token": "x"}')
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    clients = connect("europe-west4")
    assert clients.garden.api_endpoint == "europe-west4-aiplatform.googleapis.com"
    assert clients.catalogue.api_endpoint == "us-central1-aiplatform.googleapis.com"
