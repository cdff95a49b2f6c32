"""The job's script with a real keras-hub on the processor: broken off anywhere, it ends as an unbroken run does.

Skipped without an interpreter that has keras-hub: `python -m venv DIR`, `DIR/bin/pip install --no-deps --require-hashes
-r tools/keras-requirements.txt`, and `SERVESTACK_KERAS_PYTHON=DIR/bin/python`.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
from pathlib import Path

import pytest

from infra.catalog.loader import load_catalog
from infra.plan.job.memory import lora_parameters
from tests.keras_job.rig import ROOT, Rig, lines

PYTHON = os.environ.get("SERVESTACK_KERAS_PYTHON", "")
pytestmark = pytest.mark.skipif(not PYTHON, reason="no keras-hub: SERVESTACK_KERAS_PYTHON names no interpreter with it")
# Of different lengths, so that another order within an epoch gives other losses.
PAIRS = [("a train goes to", "Paris"), ("who", "paid for the bread"), ("the city", "has a river"), ("rain", "falls")]
PAIRS += [("the river falls", "at noon on the hills")]
LORA = ("--mode", "lora", "--epochs", "30", "--rank", "4", "--learning-rate", "0.01")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    folder = tmp_path_factory.mktemp("keras")
    made = subprocess.run(
        [PYTHON, str(ROOT / "tests" / "keras_job" / "tiny_preset.py"), str(folder / "preset")],
        env={"PATH": os.environ["PATH"], "KERAS_BACKEND": "tensorflow", "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert made.returncode == 0, made.stderr[-2000:]
    records = [{"id": f"r{number}", "prompt": p, "response": r} for number, (p, r) in enumerate(PAIRS)]
    few = lines(folder / "few.jsonl", records)
    words = ("--preset", str(folder / "preset"), "--sequence-length", "32", "--batch-size", "2", "--dtype", "float32")
    return Rig(PYTHON, (*words, "--input", str(few)), folder)


@pytest.fixture(scope="module")
def many(rig: Rig) -> str:
    """Records enough to be broken off between."""
    records = [{"prompt": f"{PAIRS[number % 5][0]} {number}"} for number in range(151)]
    return str(lines(rig.folder / "many.jsonl", records))


@pytest.fixture(scope="module")
def unbroken(rig: Rig) -> Rig:
    """A whole LoRA run without a break."""
    done = rig.run("unbroken", *LORA, "--seed", "3", "--save-seconds", "1000")
    assert done.status == 0, done.said
    return rig


def far(progress: Path) -> bool:
    """In the middle of an epoch that is not the first."""
    return any(progress.glob("checkpoint-00000000[5-9]-000000002.npz"))


@pytest.mark.parametrize(("sign", "status"), [(signal.SIGKILL, -9), (signal.SIGTERM, 75)])
def test_fine_tuning_that_was_broken_off_ends_as_an_unbroken_one(
    unbroken: Rig, sign: signal.Signals, status: int
) -> None:
    """Saves at every step; the second run begins in a new process and in the middle of an epoch."""
    words = (*LORA, "--seed", "3", "--save-seconds", "0")
    broken = unbroken.broken(sign.name, sign, far, *words)
    assert broken.status == status, broken.said
    assert not (unbroken.folder / sign.name / "result.json").exists()
    again = unbroken.run(sign.name, *words)
    assert again.status == 0, again.said
    assert "going on at epoch" in again.said
    losses, expected = unbroken.result(sign.name)["losses"], unbroken.result("unbroken")["losses"]
    assert losses == pytest.approx(expected, abs=1e-5)
    assert expected[-1] < expected[0] - 0.5, "nothing was learnt, so nothing was tested"
    assert (unbroken.folder / sign.name / "adapter.lora.h5").read_bytes() == (
        unbroken.folder / "unbroken" / "adapter.lora.h5"
    ).read_bytes()


def test_another_order_of_records_would_have_been_seen(unbroken: Rig) -> None:
    done = unbroken.run("other-seed", *LORA, "--seed", "4")
    assert done.status == 0, done.said
    losses, expected = unbroken.result("other-seed")["losses"], unbroken.result("unbroken")["losses"]
    assert losses != pytest.approx(expected, abs=1e-5)


def test_a_stop_alone_keeps_the_place_of_a_bfloat16_run(rig: Rig) -> None:
    """No save is due but the one of the stop, and of each epoch; numpy's files have no bfloat16."""
    words = (*LORA, "--dtype", "bfloat16", "--save-seconds", "1000")
    whole = rig.run("bfloat16-unbroken", *words)
    assert whole.status == 0, whole.said
    broken = rig.broken("bfloat16", signal.SIGTERM, lambda path: any(path.glob("checkpoint-00000000[3-9]-*")), *words)
    assert broken.status == 75, broken.said
    again = rig.run("bfloat16", *words)
    assert again.status == 0, again.said
    assert rig.result("bfloat16")["losses"] == pytest.approx(rig.result("bfloat16-unbroken")["losses"], abs=1e-5)


def test_a_checkpoint_that_is_not_whole_is_left_out(rig: Rig) -> None:
    words = (*LORA, "--seed", "3", "--save-seconds", "0")
    assert rig.broken("torn", signal.SIGKILL, far, *words).status == -9
    newest = max((rig.folder / "torn" / "progress").glob("checkpoint-*.npz"))
    newest.write_bytes(newest.read_bytes()[:-500])
    again = rig.run("torn", *words)
    assert again.status == 0, again.said
    assert f"{newest.name} is not whole" in again.said
    assert "going on at epoch" in again.said
    assert rig.result("torn")["losses"][-1] < rig.result("torn")["losses"][0] - 0.5


@pytest.mark.parametrize("temperature", ["0", "1"])
def test_generation_that_was_broken_off_twice_has_the_same_bytes(rig: Rig, many: str, temperature: str) -> None:
    """Sampled or not: what was written before the break is taken, and what comes after is the same."""
    words = ("--mode", "generate", "--input", many, "--save-seconds", "0", "--temperature", temperature)
    whole, parts = f"whole-{temperature}", f"parts-{temperature}"
    done = rig.run(whole, *words)
    assert done.status == 0, done.said
    killed = rig.broken(parts, signal.SIGKILL, lambda path: any(path.glob("part-00000001?-*")), *words)
    assert killed.status == -9, killed.said
    stopped = rig.broken(parts, signal.SIGTERM, lambda path: any(path.glob("part-00000006?-*")), *words)
    assert stopped.status == 75, stopped.said
    again = rig.run(parts, *words)
    assert again.status == 0, again.said
    assert "going on after" in again.said
    written = (rig.folder / parts / "outputs.jsonl").read_bytes()
    assert written == (rig.folder / whole / "outputs.jsonl").read_bytes()
    assert written.count(b"\n") == 151
    assert len(set(written.splitlines())) == 151
    assert rig.result(parts) == rig.result(whole)
    assert not (rig.folder / parts / "progress").exists()


def test_the_adapter_that_was_trained_is_better_in_an_evaluation_by_two_pods(unbroken: Rig) -> None:
    adapter = str(unbroken.folder / "unbroken" / "adapter.lora.h5")
    losses = []
    for name, more in (("plain", ()), ("tuned", ("--adapter", adapter))):
        rows: list[dict[str, object]] = []
        for shard in ("0", "1"):
            words = ("--mode", "evaluate", "--shards", "2", "--shard", shard, *more)
            done = unbroken.run(name, *words)
            assert done.status == 0, done.said
            result = unbroken.result(f"{name}/shard-{shard}-of-2")
            rows.append({"records": result["records"], "loss": result["loss"]})
        assert [one["records"] for one in rows] == [3, 2]
        losses.append(rows)
    for before, after in zip(*losses, strict=True):
        assert float(str(after["loss"])) < float(str(before["loss"])) - 0.5


def test_prompts_that_would_be_cut_are_refused_by_line(rig: Rig) -> None:
    path = lines(rig.folder / "long.jsonl", [{"prompt": "short"}, {"prompt": "long " * 40}])
    done = rig.run("long", "--mode", "generate", "--input", str(path))
    assert done.status == 64, done.said
    assert "refused: over 30 tokens, which --sequence-length leaves: long.jsonl line 2 has" in done.said


def test_a_preset_that_is_not_there_is_refused(rig: Rig) -> None:
    done = rig.run("none", "--mode", "generate", "--preset", str(rig.folder / "nothing"))
    assert done.status == 64, done.said
    assert "Traceback" not in done.said


def test_the_plan_counts_the_parameters_that_keras_trains(unbroken: Rig) -> None:
    """The memory proof's formula, against the adapter that keras-hub wrote for the tiny preset."""
    shape = dataclasses.replace(
        load_catalog().models["gemma-4-e2b-it"],
        layers=4,
        hidden=32,
        query_heads=4,
        kv_heads_sliding=1,
        kv_heads_global=1,
        head_dim_sliding=16,
        head_dim_global=32,
        layers_per_global=2,
        kv_shared_layers=0,
    )
    count = (
        "import h5py, sys; n = []; "
        "h5py.File(sys.argv[1]).visititems(lambda _, one: n.append(one.size if getattr(one, 'ndim', 0) > 1 else 0)); "
        "print(sum(n))"
    )
    adapter = str(unbroken.folder / "unbroken" / "adapter.lora.h5")
    said = subprocess.run([PYTHON, "-c", count, adapter], capture_output=True, text=True, check=True, timeout=60).stdout
    assert int(said) == lora_parameters(shape, 4)
