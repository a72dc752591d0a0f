"""``python -m township_node ROLE --home DIR``: one process of a township node."""

from township_node import TIER
from node.roles import main

main(TIER)
