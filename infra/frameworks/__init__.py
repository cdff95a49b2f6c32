"""The frameworks, by the name used in stack files. Adding one is one file and one line here."""

from infra.frameworks import llamacpp, mlx, nim, sglang, trtllm, vllm
from infra.frameworks.base import Framework

FRAMEWORKS: dict[str, Framework] = {
    "llamacpp": llamacpp.FRAMEWORK,
    "mlx": mlx.FRAMEWORK,
    "nim": nim.FRAMEWORK,
    "sglang": sglang.FRAMEWORK,
    "trtllm": trtllm.FRAMEWORK,
    "vllm": vllm.FRAMEWORK,
}
