"""Measure what README claims, on this machine: all sections, or those that are named."""

from __future__ import annotations

import argparse

from benchmarks import comparison, deployments, fleet, review, site
from benchmarks.table import heading

_SECTIONS = {
    "fleet": fleet.measure,
    "site": site.measure,
    "review": review.measure,
    "comparison": comparison.measure,
    "deployments": deployments.measure,
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("section", nargs="*", metavar="SECTION", help=f"of {', '.join(_SECTIONS)} (default: all)")
    named = parser.parse_args().section
    unknown = [name for name in named if name not in _SECTIONS]
    if unknown:
        parser.error(f"no section {unknown[0]}")
    heading()
    for name in named or _SECTIONS:
        _SECTIONS[name]()


if __name__ == "__main__":
    main()
