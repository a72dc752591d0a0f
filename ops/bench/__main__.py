"""``python -m ops.bench``: measure some parts, or all; one JSON object a line on standard output, progress on standard error."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from ops.bench import chain, fan, fold, growth, load, media, meter, newcomer, peers, portal, search, urgent

CHAIN = ("memory", "throughput", "single", "latency", "catchup")
PARTS = (*CHAIN, "fanout", "urgent", "fold", "growth", "newcomer", "portal", "load", "search", "media", "peers")


def main() -> None:
    """Measure what the command line asks for; what cannot be measured says why, and the rest goes on."""
    parser = argparse.ArgumentParser(prog="ops.bench", description="Measure this program on this machine.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all when none is named")
    parser.add_argument("-n", type=int, default=20_000, help="documents (20000)")
    parser.add_argument("-l", type=int, default=500, help="single documents for latency (500)")
    parser.add_argument("-m", type=int, default=512, help="MiB of attachments before the urgent documents (512)")
    parser.add_argument("-g", type=int, default=100_000, help="entries of the oldest node of growth (100000); 1000000 takes some twenty minutes")
    parser.add_argument("-t", type=float, default=600, help="seconds that people work at the portal (600)")
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    parts = set(given.parts or PARTS)
    acts: dict[str, Callable[[], None]] = {
        "fanout": lambda: fan.run(min(75, given.l)),
        "urgent": lambda: urgent.run(given.n, given.m, 40),
        "fold": lambda: fold.run(given.n // 2),
        "growth": lambda: growth.run(given.g),
        "newcomer": lambda: newcomer.run(5 * given.n),
        "portal": lambda: portal.run(6.0),
        "load": lambda: load.run(5 * given.n, given.t),
        "search": lambda: search.run(5 * given.n),
        "media": lambda: media.run(8.0),
        "peers": lambda: peers.run(given.n, given.l),
    }
    if parts & set(CHAIN):
        meter.attempt("chain", lambda: chain.run(parts & set(CHAIN), given.n, given.l))
    for part, act in acts.items():
        if part in parts:
            meter.attempt(part, act)


if __name__ == "__main__":
    main()
