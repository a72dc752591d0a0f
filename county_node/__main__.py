"""``python -m county_node ROLE --home DIR``: one process of a county node."""

from county_node import TIER
from node.roles import main

main(TIER)
