"""The frameworks, by the name used in stack files. Adding one is one file and one line here."""

from infra.frameworks import llamacpp, mlx, sglang, vllm
from infra.frameworks.base import Framework

FRAMEWORKS: dict[str, Framework] = {
    "llamacpp": llamacpp.FRAMEWORK,
    "mlx": mlx.FRAMEWORK,
    "sglang": sglang.FRAMEWORK,
    "vllm": vllm.FRAMEWORK,
}
