"""Set faults of the simulated Google Cloud: `python -m simulator.google stockout us-central1-a a3-highgpu-1g`."""

from __future__ import annotations

import argparse
import json
import sys

from simulator.errors import SimulatorError
from simulator.google import machine_types, resource_verbs
from simulator.google.faults import Faults
from simulator.google.state import State
from simulator.home import Home


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator.google", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    resource_verbs.add(verbs)
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
    preempt.add_argument("--notice", type=float, metavar="SECONDS", help="tell the node so long before, 30 on GKE")
    expire = verbs.add_parser("expire", help="a node reaches the end of its run time (maxRunDuration, Flex-start)")
    expire.add_argument("node", help="the node's name")
    reservation = verbs.add_parser("reservation", help="reserve machines for pools that name the reservation")
    reservation.add_argument("name", help="its name")
    reservation.add_argument("zone", help="such as us-central1-a")
    reservation.add_argument("machine_type", help="such as a3-highgpu-8g")
    reservation.add_argument("count", help='how many; 0 for one that others have used up, "none" to remove it')
    slow = verbs.add_parser("slow", help="new nodes take longer to come, from now on")
    slow.add_argument("seconds", help='such as 60, or "off"')
    verbs.add_parser("show", help="print all faults, reservations and nodes")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Carry out one verb.

    Returns:
        0, or 1 with a message on standard error when an argument is not known.
    """
    options = _parser().parse_args(arguments)
    state = State(Home.current().root / "google.json")
    faults = Faults(state, machine_types.load())
    try:
        if options.verb in resource_verbs.VERBS:
            resource_verbs.run(options, state)
        elif options.verb == "stockout":
            faults.set_stockout(options.zone, options.machine_type, active=not options.end)
        elif options.verb == "quota":
            faults.set_quota(options.gpu_family, options.region, _number(options.limit, "none"))
        elif options.verb == "preempt":
            faults.preempt(options.node, options.notice)
        elif options.verb == "expire":
            faults.expire(options.node)
        elif options.verb == "reservation":
            count = _number(options.count, "none")
            faults.reservations.set(options.name, options.zone, options.machine_type, count)
        elif options.verb == "slow":
            faults.set_slow(None if options.seconds == "off" else float(options.seconds))
        else:
            data = state.read()
            nodes = {
                name: sorted(node for pool in cluster["nodePools"].values() for node in pool["nodes"])
                for name, cluster in data["clusters"].items()
            }
            shown = {"faults": data["faults"], "reservations": data.get("reservations", []), "nodes": nodes}
            print(json.dumps(shown, indent=2))
    except (ValueError, SimulatorError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _number(text: str, none: str) -> int | None:
    return None if text == none else int(text)


if __name__ == "__main__":
    sys.exit(main())
