"""Asks the hub for commits and registries for digests: the only part of `servestack lock` that uses the network."""
