"""Let managed endpoints of a running simulator fail: `python -m simulator.managed fail deploy --status 429`."""

from __future__ import annotations

import argparse
import json
import sys

from simulator.errors import SimulatorError
from simulator.home import Home
from simulator.managed.errors import STATUS
from simulator.managed.gemini_api import MODELS
from simulator.managed.model_garden import SERVERLESS
from simulator.managed.orders import Orders
from simulator.managed.server import ROUTES
from simulator.managed.world import World

_CODES = {status: code for code, (status, _) in STATUS.items() if code not in (9, 1)}
"""google.rpc.Code by HTTP status; 400 is INVALID_ARGUMENT."""
_DEFAULT_STATUS = 503


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator.managed", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    fail = verbs.add_parser("fail", help="the next calls of a route go wrong")
    names = sorted(route.name for route in ROUTES)
    fail.add_argument("route", choices=names, metavar="ROUTE", help=", ".join(names))
    fail.add_argument("--status", type=int, choices=sorted(_CODES), help=f"answered instead; {_DEFAULT_STATUS}")
    fail.add_argument("--times", type=int, default=1, help="how many calls")
    fail.add_argument("--after", type=int, default=0, help="calls that are answered before")
    fail.add_argument("--cut", action="store_true", help="the connection is closed instead")
    fail.add_argument("--slow", action="store_true", help="the answer comes after a minute")
    fail.add_argument("--arrives", action="store_true", help="the call is carried out all the same")
    deployment = verbs.add_parser("deployment", help="how the next deployment from Model Garden ends")
    deployment.add_argument("end", choices=["fails", "never-ends", "never-ends-nor-stops"])
    limit = verbs.add_parser("limit", help="requests per minute")
    limit.add_argument("model", choices=[*MODELS, SERVERLESS])
    limit.add_argument("per_minute", help='a number, or "none"')
    forget = verbs.add_parser("forget", help="delete an endpoint by hand")
    forget.add_argument("id")
    forget.add_argument("--with-model", action="store_true", help="and the Model Registry's entry of the same id")
    put = verbs.add_parser("put", help="put somebody else's endpoint in a place")
    for name in ("project", "location", "id"):
        put.add_argument(name)
    verbs.add_parser("heal", help="take back all of this: faults, ends of deployments, limits")
    verbs.add_parser("show", help="print endpoints, models, and what was asked for since the last call")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Carry out one verb; a running server obeys at its next call, one that is down at its first.

    Returns:
        0, or 1 with a message on standard error when an argument is not known.
    """
    options = _parser().parse_args(arguments)
    try:
        _run(options, Home.current())
    except (ValueError, SimulatorError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace, home: Home) -> None:
    orders = Orders(home.managed_orders)
    given = {name: value for name, value in vars(options).items() if name != "verb"}
    match options.verb:
        case "fail":
            is_silent = given["cut"] or given["slow"]
            status = given.pop("status") or (None if is_silent else _DEFAULT_STATUS)
            orders.give({"do": "fault", "code": _CODES[status] if status else 0, **given})
        case "deployment":
            fails = options.end == "fails"
            never = {"looks": None, "cancellable": options.end == "never-ends"}
            orders.give({"do": "outcome"} | ({"looks": 3, "code": 8} if fails else never))
        case "limit":
            per_minute = None if options.per_minute == "none" else int(options.per_minute)
            orders.give({"do": "limit", "model": options.model, "per_minute": per_minute})
        case "forget":
            made = World(path=home.managed_endpoints).made()
            known = sorted({*made["endpoints"], *made["models"]})
            if options.id not in known:
                raise ValueError(f"unknown id {options.id!r}. Known: {', '.join(known) or 'none'}")
            orders.give({"do": "forget", **given})
        case "show":
            print(json.dumps(World(path=home.managed_endpoints).made() | {"orders": orders.waiting()}, indent=2))
        case verb:
            orders.give({"do": verb, **given})


if __name__ == "__main__":
    sys.exit(main())
