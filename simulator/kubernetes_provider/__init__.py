"""A stand-in for the official Pulumi Kubernetes provider, for a real API server.

It is attached by the engine through `PULUMI_DEBUG_PROVIDERS=kubernetes:PORT` and serves every kind that the API
server serves, custom resources included. It imitates the official provider of mid 2026 (4.32 to 4.34), rule by
rule; docstrings name the rule ("Official behaviour: provider.go Check"). It never improves an official message.

What it refuses with an Unimplemented error: the component resources yaml/v2 ConfigFile and ConfigGroup,
helm.sh/v4 Chart and kustomize/v2 Directory (Construct), helm.sh/v3 Release, and the functions
kubernetes:helm:template and kubernetes:kustomize:directory.

Where it is simpler than the official provider:

- Inputs are normalised by the server's OpenAPI document and a table of Go pointers, not by Go types: while no
  server has been reached they are not normalised, and times are left as written.
- Without server-side apply, updates are JSON merge patches for every kind, where the official provider sends
  three-way strategic merges for built-in ones.
- Render mode (`renderYamlToDirectory`) and the rate limits of `kubeClientSettings` are accepted and ignored.
- Schema validation in Check is left out, as the official provider ignores nearly all of its findings.
- The package schema is empty, so that `pulumi import` cannot generate code. List and Parameterize are missing.
- Awaiting by kstatus (PULUMI_K8S_AWAIT_ALL) knows generations, Ready, Stalled and Reconciling only.
- Taking over client-side field managers is tried again when a controller writes the object meanwhile; the official
  provider fails then.
- Names made from a seed have the official form but other digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import grpc

__all__ = ["serve"]


def serve() -> tuple[grpc.Server, int]:
    """Starts the provider on a free loopback port; see `server.serve`. Imports gRPC and Pulumi when called."""
    from simulator.kubernetes_provider import server

    return server.serve()
