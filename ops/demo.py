"""A network on this machine: one city, its counties and their townships, as real nodes with real lines between them.

``plan`` decides names and ports, ``up`` makes and starts what is not there yet: each node by the same commands a person
would type (token above, init below), its line to the node above through ``ops.line``, so that it can be cut. ``demo.json``
(mode 0600) names everything, passwords included; running ``up`` again on the same folder only mends what is missing.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import click

from node import settings
from node.directory.entries import ADMINISTRATORS
from node.errors import Invalid, Misconfigured, Missing, NodeError, Unreachable
from node.keys import write_secret
from ops import places, supervise
from ops.caller import Shells, ask
from ops.nursery import Nursery
from ops.words import _

LISTEN, LINES, WEB, MEDIA = 7100, 7400, 8443, 8743
"First ports that are tried: couriers, lines, portals."
SMALLEST_ROOM = 300 * 1024 * 1024
READY_SECONDS = 90.0
ACTING = {"registry_clerk", "reviewer", "signer", "seal_keeper", "sysadmin", "secadmin", "auditor"}
"Roles whose holders get accounts."
TIERS = ("city", "county", "township")
T = TypeVar("T")


@dataclass(kw_only=True)
class Place:
    """One node of the demonstration."""

    name: str
    tier: str
    code: str
    parent: str = ""
    "Name of the node above."
    home: str = ""
    listen: int = 0
    web: int = 0
    media: int = 0
    "Port of its relay."
    line: int = 0
    "Port on which its line to the node above begins; 0 at the city."
    id: str = ""

    @property
    def path(self) -> Path:
        """Its home."""
        return Path(self.home)

    @property
    def url(self) -> str:
        """Address of its portal; empty without one."""
        return f"https://127.0.0.1:{self.web}" if self.web else ""


@dataclass(kw_only=True)
class User:
    """Somebody who can sign in."""

    node: str
    "Name of the node where the account is."
    login: str
    person: str
    name: str
    title: str = ""
    "Title of the main post."
    roles: list[str] = field(default_factory=list)
    organs: list[str] = field(default_factory=list)
    "Organs for which the posts act."
    password: str = ""
    key: str = ""
    "Key file for the command line."


@dataclass(kw_only=True)
class Network:
    """What ``demo.json`` says."""

    folder: Path
    nodes: list[Place]
    users: list[User] = field(default_factory=list)
    courier_only: bool = False

    def place(self, name: str) -> Place:
        """The node of that name."""
        for one in self.nodes:
            if one.name == name:
                return one
        raise Missing(f"the demonstration has no node {name}", hint=", ".join(one.name for one in self.nodes))

    def user(self, place: Place, role: str, organ: str) -> User:
        """Somebody at a node who has a role for an organ, those with fewest other roles first."""
        found = [one for one in self.users if one.node == place.name and role in one.roles and organ in one.organs]
        if not found:
            raise Missing(f"nobody at {place.name} is {role} for {organ}")
        return min(found, key=lambda one: ("seal_keeper" in one.roles, len(one.roles)))

    def tier(self, tier: str) -> list[Place]:
        """The nodes of a tier, in order."""
        return [one for one in self.nodes if one.tier == tier]

    def told(self) -> dict[str, Any]:
        """What ``demo.json`` holds."""
        return {
            "v": 1,
            "courier_only": self.courier_only,
            "nodes": [asdict(one) | {"url": one.url} for one in self.nodes],
            "users": [asdict(one) for one in self.users],
            "root": str(self.nodes[0].path / "certs/root.pem"),
        }

    def save(self) -> None:
        """Write ``demo.json``."""
        write_secret(self.folder / "demo.json", json.dumps(self.told(), ensure_ascii=False, indent=1).encode())


def load(folder: Path) -> Network:
    """The network of a folder; :class:`Missing` when there is none."""
    try:
        told = json.loads((folder / "demo.json").read_bytes())
    except FileNotFoundError:
        raise Missing(f"there is no demonstration in {folder}", hint="yiwang demo up") from None
    except ValueError:
        raise Misconfigured(f"{folder / 'demo.json'} is damaged", hint=f"rm -r {folder}, then yiwang demo up") from None
    nodes = [Place(**{key: row[key] for key in Place.__dataclass_fields__}) for row in told["nodes"]]
    return Network(folder=folder, nodes=nodes, users=[User(**row) for row in told["users"]], courier_only=told["courier_only"])


def plan(folder: Path, counties: int, townships: int, *, courier_only: bool, web: int, listen: int) -> Network:
    """Names, homes and free ports of a new network; ``townships`` is their number in all, dealt to the counties in turn."""
    known = places.known()["counties"]
    if not 1 <= counties <= len(known):
        raise Invalid(f"there are 1 to {len(known)} counties", code="usage")
    city = Place(tier="city", **places.known()["city"])
    below = [Place(name=one["name"], tier="county", code=one["code"], parent=city.name) for one in known[:counties]]
    nodes = [city, *below, *_deal(known[:counties], townships)]
    free = Ports(listen=listen or LISTEN, web=web or WEB, fixed=bool(web or listen))
    for one in nodes:
        one.home = str(folder / one.name)
        one.listen = free.take("listen") if one.tier != "township" else 0
        one.line = free.take("line") if one.parent else 0
        one.web = 0 if courier_only else free.take("web")
        one.media = 0 if courier_only else free.take("media")
    return Network(folder=folder, nodes=nodes, courier_only=courier_only)


def _deal(counties: list[dict[str, Any]], wanted: int) -> Iterator[Place]:
    most = max(len(county["townships"]) for county in counties)
    dealt = [(county, county["townships"][n]) for n in range(most) for county in counties if n < len(county["townships"])]
    if not 0 <= wanted <= len(dealt):
        raise Invalid(f"these counties have 0 to {len(dealt)} townships", code="usage")
    for county, one in sorted(dealt[:wanted], key=lambda pair: counties.index(pair[0])):
        yield Place(name=one["name"], tier="township", code=one["code"], parent=county["name"])


class Ports:
    """Hands out ports of this machine that nobody listens on, each once."""

    def __init__(self, *, listen: int, web: int, fixed: bool) -> None:
        self._next = {"listen": listen, "line": listen + LINES - LISTEN, "web": web, "media": web + MEDIA - WEB}
        self._given: set[int] = set()
        self._fixed = fixed

    def take(self, use: str) -> int:
        """The next free port for a use; when the operator chose the first one, a taken port is an error."""
        while (port := self._next[use]) in self._given or not port_free(port):
            if self._fixed and port not in self._given:
                raise port_busy(port)
            self._next[use] += 1
        self._given.add(port)
        return port


def port_free(port: int) -> bool:
    """Whether nobody listens on a port of this machine."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def port_busy(port: int) -> NodeError:
    """What to say about a port that somebody else has."""
    return Unreachable(
        f"port {port} of this machine is taken by another program",
        hint=f"see who has it: ss -ltnp 'sport = :{port}'; or choose others: yiwang demo up --dir NEW --web 9443 --listen 7700",
        code="port_busy",
    )


class Progress:
    """Tells a person what is going on, one line a step, with the seconds it took."""

    def __init__(self, *, quiet: bool) -> None:
        self._out = sys.stderr if quiet else sys.stdout
        self._begun = time.monotonic()

    def step(self, text: str) -> None:
        """Say that something is done."""
        click.echo(f"  [{time.monotonic() - self._begun:5.1f} s] {text}", file=self._out)


def up(network: Network, progress: Progress) -> None:
    """Make and start everything that is not there yet, and wait until all of it is healthy."""
    network.folder.mkdir(parents=True, exist_ok=True)
    _check_room(network.folder)
    _check_ports(network)
    network.save()
    _start_lines(network, progress)
    with Nursery() if network.courier_only else nullcontext() as nursery:
        for tier in TIERS:
            _each(network.tier(tier), lambda place: _establish(network, place, nursery, progress))
    network.save()
    _write_directory(network)
    with Shells() as shells:
        _fill(network, shells, progress)


def _fill(network: Network, shells: Shells, progress: Progress) -> None:
    """Directory, accounts and seals, as far as they are not there yet."""
    for tier in TIERS:
        _each(network.tier(tier), lambda place: _import(network, place, shells, progress))
    missing = [one for one in network.nodes if not any(user.node == one.name for user in network.users)]
    for users in _each(missing, lambda place: _accounts(network, place, shells, progress)):
        network.users += users
    network.save()
    for place in network.nodes:
        shells.of(place.path).ask("status", "--wait", "synced", timeout=READY_SECONDS)
    progress.step(_("{count} 个节点全部就绪，名录一致").format(count=len(network.nodes)))


def _check_room(folder: Path) -> None:
    if shutil.disk_usage(folder).free < SMALLEST_ROOM:
        raise Unreachable(f"less than 300 MB are free at {folder}", hint="choose another place: yiwang demo up --dir DIR", code="disk_full")


def _check_ports(network: Network) -> None:
    if not supervise.alive(network.folder / "lines"):
        _refuse_busy(one.line for one in network.nodes)
    for place in network.nodes:
        if not supervise.alive(place.path):
            _refuse_busy((place.listen, place.web, place.media))


def _refuse_busy(ports: Iterable[int]) -> None:
    for port in ports:
        if port and not port_free(port):
            raise port_busy(port)


def _each(nodes: list[Place], do: Callable[[Place], T]) -> list[T]:
    """Do it for all of them, as many at once as there are processors; the first failure is raised."""
    with ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2)) as pool:
        return list(pool.map(do, nodes))


def _start_lines(network: Network, progress: Progress) -> None:
    folder = network.folder / "lines"
    folder.mkdir(exist_ok=True)
    for cut in folder.glob("*.cut"):
        cut.unlink()
    told = [{"name": one.name, "listen": one.line, "target": network.place(one.parent).listen} for one in network.nodes if one.parent]
    (folder / "lines.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    if not told or supervise.alive(folder):
        return
    supervise.write(folder, [supervise.Program(name="line", command=(sys.executable, "-P", "-m", "ops.line", str(folder)))])
    supervise.start(folder)
    if not supervise.wait_for(lambda: not any(port_free(one.line) for one in network.nodes if one.parent), 15.0):
        raise Unreachable("the lines do not open", hint=str(folder / "log/line.log"))
    progress.step(_("线路已接通：{count} 条").format(count=len(told)))


def _establish(network: Network, place: Place, nursery: Nursery | None, progress: Progress) -> None:
    if not (place.path / "node.toml").exists():
        place.id = _init(network, place)["node"]
        progress.step(_("{name} 已建立").format(name=place.name) + (_("，经 {parent} 批准入网").format(parent=place.parent) if place.parent else ""))
    if not supervise.alive(place.path):
        if nursery is not None:
            supervise.prepare(settings.load(place.path))
            nursery.bear(place.path.resolve())
        ask(place.path, "run", timeout=READY_SECONDS)
        progress.step(_("{name} 已就绪").format(name=place.name) + f"  {place.url}")


def _init(network: Network, place: Place) -> dict[str, Any]:
    given = ["node", "init", "--tier", place.tier, "--name", place.name, "--code", place.code]
    given += ["--listen", f"tcp://127.0.0.1:{place.listen}"] if place.listen else []
    given += ["--web", f"127.0.0.1:{place.web}", "--media", f"127.0.0.1:{place.media}"] if place.web else []
    given += ["--roles", "ledger,courier,watch"] if network.courier_only else []
    if place.parent:
        above = network.place(place.parent)
        token = ask(above.path, "node", "token", "--tier", place.tier, "--name", place.name, "--code", place.code, "--ttl", "1h")
        given += ["--parent-media", f"127.0.0.1:{above.media}"] if above.media else []
        given += ["--parent", f"tcp://127.0.0.1:{place.line}", "--parent-pin", token["parent_pin"], "--join", token["join"]]
    return ask(place.path, *given, timeout=60)


def _write_directory(network: Network) -> None:
    above = {one.name: one.code for one in network.nodes}
    rows = places.directory((one.code, one.tier, one.name, above.get(one.parent, "")) for one in network.nodes)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (network.folder / "directory.jsonl").write_text(text, encoding="utf-8")


def _import(network: Network, place: Place, shells: Shells, progress: Progress) -> None:
    shell = shells.of(place.path)
    shell.ask("status", "--wait", "synced", timeout=READY_SECONDS)
    found = shell.ask("dir", "import", "--file", str(network.folder / "directory.jsonl"), timeout=READY_SECONDS)
    if found["created"] or found["changed"]:
        progress.step(
            _("{name} 导入名录：新增 {created}，更改 {changed}").format(name=place.name, created=found["created"], changed=found["changed"])
        )


def _accounts(network: Network, place: Place, shells: Shells, progress: Progress) -> list[User]:
    """Passwords and key files for those who act at a node, and seals for its organs."""
    users = _people(network, place)
    named = [word for user in users for word in ("--user", user.person)]
    shell, folder = shells.of(place.path), network.folder / "keys" / place.name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    given = {row["user"]: row["password"] for row in shell.ask("user", "password", "--settled", *named, timeout=READY_SECONDS)["users"]}
    for user in users:
        user.password, user.key = given[user.person], str(folder / f"{user.person}.pem")
        Path(user.key).unlink(missing_ok=True)
    if len(users) > 1:
        shell.ask("user", "enroll", "--out", str(folder), *named, timeout=READY_SECONDS)
    keeper = next(user for user in users if "sysadmin" in user.roles)
    organs = dict.fromkeys(organ for user in users if "seal_keeper" in user.roles for organ in user.organs if organ in _issuing(network))
    ask(
        place.path,
        "user",
        "seal",
        *(word for organ in organs for word in ("--organ", organ)),
        "--as",
        keeper.person,
        "--key",
        keeper.key,
        timeout=READY_SECONDS,
    )
    progress.step(_("{name} 已开通 {users} 个账号，制发 {seals} 枚电子印章").format(name=place.name, users=len(users), seals=len(organs)))
    return users


def _lines(network: Network) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (network.folder / "directory.jsonl").read_text(encoding="utf-8").splitlines()]


def _issuing(network: Network) -> set[str]:
    return {row["id"] for row in _lines(network) if row["type"] == "organ" and row.get("may_issue")}


def _people(network: Network, place: Place) -> list[User]:
    """The people of a node whose posts carry a role in the story of documents, or who administer the node."""
    rows = _lines(network)
    organs = {row["id"] for row in rows if row["type"] == "organ" and row["node"] == place.code}
    posts = {row["id"]: row for row in rows if row["type"] == "post" and row["organ"] in organs}
    users = []
    for row in rows:
        held = [posts[post] for post in row.get("posts", ()) if post in posts] if row["type"] == "person" else []
        roles = list(dict.fromkeys(role for post in held for role in post.get("roles", ())))
        if set(roles) & ACTING:
            served = dict.fromkeys(organ for post in held for organ in (post["organ"], *post.get("serves", ())))
            about = {"title": held[0]["title"], "roles": roles, "organs": list(served)}
            users.append(User(node=place.name, login=row["login"], person=row["id"], name=row["name"], **about))
    return users


def down(folder: Path, progress: Progress) -> list[str]:
    """Stop every node of the network, townships first, and its lines; answers with the names of what was stopped."""
    network = load(folder)
    running = [one for one in reversed(network.nodes) if supervise.alive(one.path)]

    def end(place: Place) -> None:
        supervise.stop(place.path)
        progress.step(_("{name} 已停止").format(name=place.name))

    _each(running, end)
    if supervise.alive(folder / "lines"):
        supervise.stop(folder / "lines")
    return [one.name for one in running]


def cut(network: Network, name: str, *, whole: bool) -> None:
    """Cut the line between a node and the one above it, or make it whole again."""
    place = network.place(name)
    if not place.parent:
        raise Invalid(f"{name} has no line to a node above", code="usage")
    mark = network.folder / "lines" / f"{name}.cut"
    if whole:
        mark.unlink(missing_ok=True)
    else:
        mark.touch()


def prose(network: Network) -> str:
    """Addresses, sign-in names and passwords, for people: those who act for each place's government, and its three administrators."""
    rows = []
    for place in network.nodes:
        rows.append(f"\n{place.name}  {place.url}")
        here = (one for one in network.users if one.node == place.name)
        shown = [one for one in here if government(place) in one.organs or set(one.roles) & set(ADMINISTRATORS)]
        rows += [f"    {user.login:<16} {user.password:<22} {user.name} {user.title}" for user in shown]
    root = network.nodes[0].path / "certs/root.pem"
    rows += ["", _("所有账号见 {file}；浏览器可先信任根证书 {root}").format(file=network.folder / "demo.json", root=root)]
    return "\n".join(rows)


def government(place: Place) -> str:
    """Id of the government of a place."""
    known = {"371600": "bz-zf", "371623": "wd-zf", "371623101": "sw-zf", "371623108": "sj-zf"}
    return known.get(place.code, f"{place.code}-zf")
