"""A township: works when its line is down; the clerk's reactions run inside the portal to save memory."""

from node.tier import Tier

TIER = Tier(
    name="township",
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
    roles=("ledger", "courier", "portal", "relay", "watch"),
)
