"""``python -m ops.bench``: measure some parts, or all; one JSON object a line on standard output, progress on standard error."""

from __future__ import annotations

import argparse

from ops.bench import chain

PARTS = ("memory", "throughput", "single", "latency", "catchup")


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="ops.bench", description="Measure this program on this machine.")
    parser.add_argument("parts", nargs="*", choices=(*PARTS, []), help=f"of {', '.join(PARTS)}; all when none is named")
    parser.add_argument("-n", type=int, default=20_000, help="documents (20000)")
    parser.add_argument("-l", type=int, default=500, help="single documents for latency (500)")
    given = parser.parse_args()
    parts = set(given.parts or PARTS)
    if parts & {"memory", "throughput", "single", "latency", "catchup"}:
        chain.run(parts, given.n, given.l)


if __name__ == "__main__":
    main()
