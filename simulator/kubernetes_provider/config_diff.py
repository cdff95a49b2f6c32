"""CheckConfig and DiffConfig: what a changed provider configuration means."""

from __future__ import annotations

import json
import os
from typing import Any, Final, NamedTuple

from simulator.kubernetes_provider import kubeconfig
from simulator.kubernetes_provider.errors import KubeconfigError, ProviderError
from simulator.kubernetes_provider.kubeconfig import Kubeconfig
from simulator.kubernetes_provider.properties import UNKNOWN, has_unknown

_CLUSTER_KEYS: Final = ("kubeconfig", "context", "cluster")


class Failure(NamedTuple):
    """A refused argument."""

    key: str
    reason: str


class ConfigDifference(NamedTuple):
    """The changed arguments, and those that mean another cluster and so replace everything on it."""

    changed: list[str]
    replaces: list[str]


def check_config(news: dict[str, Any], is_default: bool) -> list[Failure]:
    """Official behaviour: provider.go CheckConfig. The kubeconfig is not parsed here.

    Args:
        news: the arguments, without secrets.
        is_default: whether the engine made the provider itself.
    """
    failures: list[Failure] = []
    if _true(news.get("strictMode")):
        if is_default:
            failures.append(Failure("provider", "strict mode prohibits default provider"))
        failures += [
            Failure(key, f'strict mode requires Provider "{key}" argument')
            for key in ("kubeconfig", "context")
            if not news.get(key)
        ]
    rendered = bool(news.get("renderYamlToDirectory"))
    if rendered:
        for key in ("cluster", "context", "kubeconfig"):
            ambient = key == "kubeconfig" and news.get(key) == os.environ.get("KUBECONFIG")
            if news.get(key) and not ambient:
                text = f'"{key}" arg is not compatible with "renderYamlToDirectory" arg'
                failures.append(Failure(key, text))
    elif _true(news.get("alwaysRender")):
        text = '"alwaysRender" arg requires "renderYamlToDirectory" arg'
        failures.append(Failure("alwaysRender", text))
    return failures


def _true(value: Any) -> bool:
    return value is True or value == "true"


def diff_config(olds: dict[str, Any], news: dict[str, Any]) -> ConfigDifference:
    """Official behaviour: provider.go DiffConfig.

    A changed cluster identifier replaces; so does another active cluster, unless both sides name the same
    identifier. A kubeconfig that is not known yet replaces too.

    Raises:
        ProviderError: a kubeconfig cannot be parsed.
    """
    changed = sorted(key for key in olds.keys() | news.keys() if key != "version" and olds.get(key) != news.get(key))
    replaces: list[str] = []
    old_identifier, new_identifier = olds.get("clusterIdentifier"), news.get("clusterIdentifier")
    if not changed:
        return ConfigDifference([], [])
    same = bool(old_identifier) and old_identifier == new_identifier
    if old_identifier and new_identifier and not same:
        replaces.append("clusterIdentifier")
    if "renderYamlToDirectory" in changed:
        replaces.append("renderYamlToDirectory")
    if same:
        return ConfigDifference(changed, [])
    for key in _CLUSTER_KEYS:
        if has_unknown(news.get(key)):
            return ConfigDifference(changed, [*replaces, key])
    if _active_cluster(olds) != _active_cluster(news):
        replaces += [key for key in _CLUSTER_KEYS if key in changed]
    return ConfigDifference(changed, replaces)


def _active_cluster(config: dict[str, Any]) -> dict[str, Any]:
    """Official behaviour: util.go getActiveClusterFromConfig, with parseKubeconfigPropertyValue."""
    given = config.get("kubeconfig")
    try:
        if given is None or given is UNKNOWN:
            parsed = Kubeconfig({})
        elif isinstance(given, str):
            parsed = kubeconfig.load(given)
        else:
            parsed = kubeconfig.parse(json.dumps(given))
    except (KubeconfigError, OSError) as error:
        raise ProviderError(f"failed to parse kubeconfig: {error}") from error
    return parsed.active_cluster(config.get("context") or None, config.get("cluster") or None)
