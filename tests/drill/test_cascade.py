"""A whole prefecture in one conference: 102 relays on 101 lines, each with viewers; every line carries each stream once (M4, G8)."""

from __future__ import annotations

import asyncio

import pytest

from tests.media.cascades import Tree, growing, until

COUNTIES, TOWNSHIPS, VIEWERS = 10, 91, 2


def places() -> dict[str, str]:
    """Every node but the city, and the one above it."""
    made = {f"c{n}": "city" for n in range(COUNTIES)}
    return made | {f"t{n}": f"c{n % COUNTIES}" for n in range(TOWNSHIPS)}


@pytest.mark.row("M4")
@pytest.mark.row("G8")
def test_every_stream_crosses_each_of_101_lines_once() -> None:
    """One speaks at the city and one in a township; two people at each node see and hear them: 1.0 times on each line, by counters."""

    async def story(tree: Tree) -> None:
        speakers = {"city": tree.guest("city", "mayor"), "t0": tree.guest("t0", "reporter")}
        for one in speakers.values():
            await one.publish(("q",))
        viewers = [tree.guest(place, f"{place}.{n}") for place in tree.relays for n in range(VIEWERS)]
        for at in range(0, len(viewers), 6):
            await asyncio.gather(*(tree.sees(one, "mayor", "reporter") for one in viewers[at : at + 6]))
        lines = [line for child, above in tree.above.items() for line in ((above, child), (child, above))]
        told = (("mayor", speakers["city"]), ("reporter", speakers["t0"]))
        sent = {(name, kind): layer for name, one in told for kind, layer in zip(("audio", "video"), one._layers, strict=True)}
        before, start = {line: tree.crossed(*line) for line in lines}, {key: layer.number for key, layer in sent.items()}
        await until(lambda: all(layer.number - start[key] > 300 for key, layer in sent.items()))
        crossings = 0
        for line, held in before.items():
            for key, packets in tree.crossed(*line).items():
                ratio = (packets - held[key]) / (sent[key].number - start[key])
                if packets:
                    crossings += 1
                    assert 0.9 < ratio < 1.1, (line, key, ratio)
        below = 2 * len(tree.above)  # the mayor's voice and picture down every line
        beside = 2 * (len(tree.above) - 2) + 2 * 2  # the reporter's up two lines and down all but those
        print(f"{len(tree.relays)} relays, {len(viewers)} viewers, {crossings} crossings of streams, each once")
        assert crossings == below + beside

    async def played() -> None:
        async with growing(**places()) as tree:
            await story(tree)

    asyncio.run(played())
