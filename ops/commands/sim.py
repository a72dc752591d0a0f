"""``yiwang sim``: one life of a simulated tree of nodes under faults, the same for the same seed."""

from __future__ import annotations

import click

from ops.answer import Answer, Call


@click.command(help="模拟一张网：十三个节点，断线、掉电、恢复旧盘，看历史是否一致。")
@click.option("--seed", type=int, default=1, help="种子；同一个种子是同一次经过。")
@click.option("--steps", type=click.IntRange(min=0), default=100, help="发生多少件事。")
@click.pass_obj
def sim(call: Call, seed: int, steps: int) -> Answer:
    """Live through one seed and judge what is left."""
    from sync.sim import run

    found = run(seed, steps)
    return Answer(fields=found, exit=1 if found["violations"] else 0)
