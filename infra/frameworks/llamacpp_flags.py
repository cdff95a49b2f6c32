"""Flags of `llama-server` that a stack file may not give, with the reason."""

from __future__ import annotations

# Flags that stand for a decision of the plan under another name; this engine has many synonyms.
OWNED = ("--kv-unified-per-slot", "--mmproj-auto", "--no-mmproj", "--reasoning-budget", "--ui", "--webui")
_LAYERS = "the plan keeps every layer on the accelerator"
_MEMORY = "the memory proof would no longer hold"
_TEXT = "it shows prompts to every caller or on disk"
_TOOLS = "it lets the model run tools inside the pod"
_WEIGHTS = "the checkpoint is the plan's"
DENIED = {
    "--agent": _TOOLS,
    "--api-key*": "a key in a stack file is no secret",
    "--api-prefix": "clients and probes use the planned address",
    "--batch-size": _MEMORY,
    "--cache-type-*": _MEMORY,
    "--control-vector*": _WEIGHTS,
    "--cpu-moe*": _LAYERS,
    "--device*": _LAYERS,
    "--docker-repo": _WEIGHTS,
    "--fit*": "it would shrink what the plan proved",
    "--gpu-layers*": _LAYERS,
    "--hf-file": _WEIGHTS,
    "--hf-repo": _WEIGHTS,
    "--hf-repo-draft": _MEMORY,
    "--hf-token": "a token in a stack file is no secret",
    "--kv-offload": _LAYERS,
    "--log-file": _TEXT,
    "--log-prompts-dir": _TEXT,
    "--lora*": _WEIGHTS,
    "--main-gpu": _LAYERS,
    "--mcp-*": _TOOLS,
    "--media-path": "it shows the pod's files to every caller",
    "--mmproj": _WEIGHTS,
    "--mmproj-device": _LAYERS,
    "--mmproj-offload": _LAYERS,
    "--mmproj-url": _WEIGHTS,
    "--model": _WEIGHTS,
    "--model-draft": _MEMORY,
    "--model-url": _WEIGHTS,
    "--models-*": _WEIGHTS,
    "--n-cpu-*": _LAYERS,
    "--override-*": _WEIGHTS,
    "--path": "it shows the pod's files to every caller",
    "--props": "it lets callers change the server",
    "--rpc": "it sends layers to other machines",
    "--slot-save-path": _TEXT,
    "--slots": _TEXT,
    "--spec-*": _MEMORY,
    "--split-mode": _LAYERS,
    "--ssl-*": "probes and clients speak HTTP",
    "--swa-*": _MEMORY,
    "--tensor-split": _LAYERS,
    "--tools*": _TOOLS,
}
