"""A county or zone: carries what is not for it, and adds its own."""

from node.tier import Tier

TIER = Tier(
    name="county",
    rooms=(
        "desk",
        "documents",
        "flows",
        "meetings",
        "duty",
        "supervision",
        "messages",
        "calls",
        "people",
        "audit",
        "search",
        "archives",
        "network",
    ),
    roles=("ledger", "courier", "portal", "clerk", "relay", "watch"),
)
