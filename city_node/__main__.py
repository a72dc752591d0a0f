"""``python -m city_node ROLE --home DIR``: one process of a city node."""

from city_node import TIER
from node.roles import main

main(TIER)
