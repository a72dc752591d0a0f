"""The portal as a program on the desktop: what a browser needs to install it, and the page it shows when the node cannot be reached."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from node.settings import Settings
from office.frame.words import _

THEME, GROUND = "#17375e", "#f1f3f7"
KEPT = ("app.css", "mark.svg", "icons.svg")
"Static files that the page for a node out of reach needs."
_WORKER = """// Keeps one page for the time when this node cannot be reached; everything else comes from the node.
const KEPT = %s, NAME = %s;
const old = (names) => Promise.all(names.filter((one) => one !== NAME).map((one) => caches.delete(one)));
self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(NAME).then((held) => held.addAll(KEPT)).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => event.waitUntil(caches.keys().then(old).then(() => self.clients.claim())));
self.addEventListener("fetch", (event) => {
  const wish = event.request, kept = KEPT.includes(new URL(wish.url).pathname);
  if (wish.mode === "navigate") event.respondWith(fetch(wish).catch(() => caches.match("/offline")));
  else if (kept) event.respondWith(caches.match(wish).then((held) => held || fetch(wish)));
});
"""


def manifest(settings: Settings, static: Callable[[str], str]) -> dict[str, Any]:
    """The web app manifest (W3C) of this node's portal."""
    name = str(_("一网 · {node}")).format(node=settings.name)
    icons = [{"src": static("mark.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"}]
    look = {"display": "standalone", "theme_color": THEME, "background_color": GROUND}
    return {"id": "/", "name": name, "short_name": settings.name, "start_url": "/", "scope": "/", "icons": icons, **look}


def worker(static: Callable[[str], str]) -> str:
    """The service worker: the names of what it keeps change with the files, so that an upgrade is taken up by itself."""
    kept = ["/offline", *(static(name) for name in KEPT)]
    return _WORKER % (json.dumps(kept), json.dumps("yiwang-" + "-".join(one.split("/")[2] for one in kept[1:])))
