"""The frameworks, by the name used in stack files. Adding one is one file and one line here."""

from infra.frameworks import llamacpp, vllm
from infra.frameworks.base import Framework

FRAMEWORKS: dict[str, Framework] = {
    "llamacpp": llamacpp.FRAMEWORK,
    "vllm": vllm.FRAMEWORK,
}
