"""Verbs of `python -m simulator.google` for resources and APIs: failures, and what a person does by hand."""

from __future__ import annotations

import argparse
import json
from typing import Any

from simulator.google import unmanaged
from simulator.google.by_hand import ByHand
from simulator.google.errors import GoogleError
from simulator.google.failures import Failures
from simulator.google.state import State

VERBS = ("fail", "permission-denied", "forget", "put", "put-object", "resources")


def add(verbs: Any) -> None:
    """Add the verbs to a parser's."""
    fail = verbs.add_parser("fail", help="the next operation on a resource type fails, once")
    fail.add_argument("type", help="such as Cluster, compute.Network or a whole token of Pulumi")
    fail.add_argument(
        "--after-half", action="store_true", help="while it runs: a cluster is there then, with status ERROR"
    )
    denied = verbs.add_parser("permission-denied", help="calls of an API are refused (403)")
    denied.add_argument("service", help='such as compute.googleapis.com; "off" gives every permission back')
    forget = verbs.add_parser("forget", help="delete a thing by hand, or turn an API off: no program knows of it")
    forget.add_argument("name", help="its id, such as projects/p/global/networks/n, or an end that only it has")
    put = verbs.add_parser("put", help="make a thing by hand, for a program to find or to import")
    put.add_argument("type", help="such as compute.Network")
    put.add_argument("inputs", help="""such as '{"project": "p", "name": "vpc"}'""")
    put_object = verbs.add_parser("put-object", help="put an object into a bucket")
    put_object.add_argument("bucket", help="the bucket's name")
    put_object.add_argument("object", help="the object's name")
    verbs.add_parser("resources", help="print the ids of all things")


def run(options: argparse.Namespace, state: State) -> None:
    """Carry out one of the verbs.

    Raises:
        ValueError: An argument names nothing, or the thing is refused.
    """
    by_hand = ByHand(state)
    try:
        if options.verb == "fail":
            by_hand.fail(options.type, options.after_half)
        elif options.verb == "permission-denied":
            Failures(state).deny(None if options.service == "off" else options.service)
        elif options.verb == "forget":
            by_hand.forget(options.name)
        elif options.verb == "put":
            print(by_hand.put(options.type, json.loads(options.inputs)))
        elif options.verb == "put-object":
            by_hand.put_object(options.bucket, options.object)
        else:
            data = state.read()
            managed = sorted([*data["clusters"], *(one["id"] for one in data["resources"].values())])
            print("\n".join([*managed, *unmanaged.lines(data)]))
    except GoogleError as error:
        raise ValueError(str(error)) from error
