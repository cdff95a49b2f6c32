"""Set faults of the simulated Google Cloud: `python -m simulator.google stockout us-central1-a a3-highgpu-1g`."""

from __future__ import annotations

import argparse
import json
import sys

from simulator.errors import SimulatorError
from simulator.google import machine_types
from simulator.google.by_hand import ByHand
from simulator.google.errors import GoogleError
from simulator.google.failures import Failures
from simulator.google.faults import Faults
from simulator.google.state import State
from simulator.home import Home


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator.google", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    stockout = verbs.add_parser("stockout", help="a machine type is sold out in a zone")
    stockout.add_argument("zone", help='such as us-central1-a, or "*"')
    stockout.add_argument("machine_type", help='such as a3-highgpu-1g, or "*"')
    stockout.add_argument("--end", action="store_true", help="it is available again")
    quota = verbs.add_parser("quota", help="a limit for the GPUs of a family in a region")
    quota.add_argument("gpu_family", help="such as NVIDIA_H100; PREEMPTIBLE_NVIDIA_H100 for Spot and Flex-start")
    quota.add_argument("region", help="such as us-central1")
    quota.add_argument("limit", help='a number, or "none"')
    preempt = verbs.add_parser("preempt", help="take a Spot node away")
    preempt.add_argument("node", help="the node's name")
    fail = verbs.add_parser("fail", help="the next operation on a resource type fails")
    fail.add_argument("type", help="such as Cluster, compute.Network or a whole token of Pulumi")
    fail.add_argument(
        "--after-half", action="store_true", help="while it runs: a cluster is there then, in status ERROR"
    )
    denied = verbs.add_parser("permission-denied", help="calls of an API are refused (403)")
    denied.add_argument("service", help='such as compute.googleapis.com; "off" gives every permission back')
    forget = verbs.add_parser("forget", help="delete a thing by hand: nobody tells the program")
    forget.add_argument("name", help="its id, such as projects/p/global/networks/n; a unique end of it will do")
    objects = verbs.add_parser("put-object", help="put an object into a bucket")
    objects.add_argument("bucket", help="its name")
    objects.add_argument("object", help="the object's name")
    put = verbs.add_parser("put", help="make a thing by hand, for a program to adopt")
    put.add_argument("type", help="such as compute.Network")
    put.add_argument("inputs", help="""such as '{"project": "p", "name": "vpc"}'""")
    verbs.add_parser("show", help="print all faults and nodes")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Carry out one verb.

    Returns:
        0, or 1 with a message on standard error when an argument is not known.
    """
    options = _parser().parse_args(arguments)
    state = State(Home.current().root / "google.json")
    faults = Faults(state, machine_types.load())
    by_hand = ByHand(state)
    try:
        if options.verb == "fail":
            by_hand.fail(options.type, options.after_half)
        elif options.verb == "permission-denied":
            Failures(state).deny(None if options.service == "off" else options.service)
        elif options.verb == "forget":
            by_hand.forget(options.name)
        elif options.verb == "put-object":
            by_hand.put_object(options.bucket, options.object)
        elif options.verb == "put":
            print(by_hand.put(options.type, json.loads(options.inputs)))
        elif options.verb == "stockout":
            faults.set_stockout(options.zone, options.machine_type, active=not options.end)
        elif options.verb == "quota":
            limit = None if options.limit == "none" else int(options.limit)
            faults.set_quota(options.gpu_family, options.region, limit)
        elif options.verb == "preempt":
            faults.preempt(options.node)
        else:
            data = state.read()
            nodes = {
                name: sorted(node for pool in cluster["nodePools"].values() for node in pool["nodes"])
                for name, cluster in data["clusters"].items()
            }
            things = sorted(record["id"] for record in data["resources"].values())
            print(json.dumps({"faults": data["faults"], "nodes": nodes, "resources": things}, indent=2))
    except (ValueError, GoogleError, SimulatorError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
