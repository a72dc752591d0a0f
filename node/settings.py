"""``node.toml``, read once into frozen values and passed down; nobody else reads configuration.

An unknown key, a missing one and a value of the wrong type are errors that name the key and say what was expected.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from node.errors import Misconfigured

SHORTENED = 30
"By how much the profile ``acceptance`` divides the periods of checkpoints."
TIERS = ("city", "county", "township", "outside")


class Parent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The node above."""

    endpoint: str
    "tcp://IP:PORT of its courier."
    id: str
    "Node id of the parent."
    curve: str
    "Its CURVE public key (z85)."
    media: str = ""
    "IP:PORT of its media relay; empty for the host of its courier at the port of this node's own relay."


class Bell(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the machines of one node tell each other to look."""

    amqp: str = ""
    "amqp:// URL of a RabbitMQ; empty for a node on one machine."


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything an operator decides about one node."""

    id: str
    tier: str
    name: str
    code: str
    "Region code, or one assigned by the city."
    city: str
    "Id of the city: fingerprint of its root in base32."
    listen: str = ""
    "tcp://IP:PORT on which the courier awaits nodes below; empty for none."
    web: str = ""
    "IP:PORT of the portal (HTTPS)."
    public: str = ""
    media: str = ""
    "IP:PORT of the media relay (UDP, and TCP for relays below); empty for a node without voices and pictures."
    media_kbps: int = 7_500
    "Kilobits a second of each line that voices and pictures may fill."
    storage: str = "sqlite"
    "sqlite, or a postgresql:// URL."
    roles: tuple[str, ...] = ()
    "Processes to run; empty for all of the tier."
    profile: str = ""
    "acceptance only shortens periods."
    language: str = "zh"
    parent: Parent | None = None
    bell: Bell = Bell()
    home: Path = Path()
    "Set when loaded, never written."

    def paced(self, seconds: float) -> float:
        """A period of checkpoints, which the profile ``acceptance`` shortens."""
        return seconds / SHORTENED if self.profile == "acceptance" else seconds

    def path(self, *parts: str) -> Path:
        """A path inside the home."""
        return self.home.joinpath(*parts)

    def socket(self, name: str) -> str:
        """The ipc address of one of this node's local sockets, as short as the working directory allows."""
        full = str(self.path("run", name))
        path = min(full, os.path.relpath(full), key=len)
        if len(path.encode()) > 100:
            raise Misconfigured(f"the path {path} is too long for a local socket", hint="start from inside the home, or move it")
        return f"ipc://{path}"


def load(home: Path) -> Settings:
    """The settings of a home; :class:`Misconfigured` says which key is wrong."""
    home = home.resolve()
    file = home / "node.toml"
    try:
        found = msgspec.toml.decode(file.read_bytes(), type=Settings)
    except FileNotFoundError:
        raise Misconfigured(f"{home} is no node's home: there is no node.toml", hint="yiwang node init") from None
    except OSError as e:
        raise Misconfigured(f"{file}: {e.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise Misconfigured(f"{file}: {e}") from None
    if found.tier not in TIERS:
        raise Misconfigured(f"{file}: tier is {found.tier!r}, it should be one of {', '.join(TIERS)}")
    if found.storage != "sqlite" and not found.storage.startswith("postgresql"):
        raise Misconfigured(f"{file}: storage is 'sqlite' or a postgresql:// URL")
    if found.bell.amqp and not found.bell.amqp.startswith(("amqp://", "amqps://")):
        raise Misconfigured(f"{file}: bell.amqp is an amqp:// or amqps:// URL")
    return msgspec.structs.replace(found, home=home)


def dump(settings: Settings) -> bytes:
    """The text of ``node.toml``."""
    values = {f: getattr(settings, f) for f in settings.__struct_fields__ if f != "home"}
    return msgspec.toml.encode({k: v for k, v in values.items() if v is not None})
