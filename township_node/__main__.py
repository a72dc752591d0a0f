"""``python -m township_node ROLE --home DIR``: one process of a township node."""

from node.roles import main
from township_node import TIER

main(TIER)
