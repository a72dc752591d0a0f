"""The city: holds the root, directs downward, and sees who has signed for what."""

from node.tier import Tier

TIER = Tier(
    name="city",
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
