"""What the job's script refuses before it loads keras-hub: by any Python, with the status that no retry follows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.keras_job.rig import lines, plain

BASE = ("--preset", "tiny", "--sequence-length", "32")


@pytest.mark.parametrize(
    ("mode", "text", "said"),
    [
        ("generate", "", "no records"),
        ("generate", "{", "in.jsonl line 1 is no JSON"),
        ("generate", '{"prompt": "a"}\n\n[1]\n', "in.jsonl line 3 is no JSON object"),
        ("generate", '{"prompt": 3}', "in.jsonl line 1 has no text 'prompt'"),
        ("lora", '{"prompt": "a"}', "in.jsonl line 1 has no text 'response'"),
        ("generate", "[]\n" * 7, "and 2 more"),
    ],
)
def test_input_that_is_not_as_it_should_be(tmp_path: Path, mode: str, text: str, said: str) -> None:
    (tmp_path / "in.jsonl").write_text(text)
    done = plain(tmp_path, *BASE, "--input", str(tmp_path / "in.jsonl"), "--mode", mode).run("out")
    assert done.status == 64
    assert said in done.said
    assert "Traceback" not in done.said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--mode", "serve"), "invalid choice"),
        (("--mode", "generate", "--batch-size", "0"), "--batch-size is below 1"),
        (("--mode", "generate", "--shards", "2", "--shard", "2"), "--shard 2 is not below --shards 2"),
        (("--mode", "lora", "--shards", "2"), "lora runs in one pod"),
        (("--mode", "generate", "--trust-remote-code"), "unrecognized arguments"),
    ],
)
def test_arguments_that_make_no_run(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    path = lines(tmp_path / "in.jsonl", [{"prompt": "a", "response": "b"}])
    done = plain(tmp_path, *BASE, "--input", str(path), *words).run("out")
    assert done.status == 64
    assert said in done.said


def test_more_pods_than_records(tmp_path: Path) -> None:
    path = lines(tmp_path / "in.jsonl", [{"prompt": "a"}])
    words = ("--input", str(path), "--mode", "generate", "--shards", "3", "--shard", "2")
    done = plain(tmp_path, *BASE, *words).run("out")
    assert (done.status, "too few for 3 pods" in done.said) == (64, True)


def test_the_folder_of_another_run_is_not_taken(tmp_path: Path) -> None:
    path = lines(tmp_path / "in.jsonl", [{"prompt": "a"}])
    rig = plain(tmp_path, *BASE, "--input", str(path), "--mode", "generate")
    held = {"mode": "generate", "seed": 1}
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "result.json").write_text(json.dumps({"run": held}))
    done = rig.run("out", "--seed", "2")
    assert done.status == 64
    assert "belongs to another run" in done.said
    assert "seed 1 -> 2" in done.said
    assert json.loads((tmp_path / "out" / "result.json").read_text()) == {"run": held}
