"""Pages of the network: how everything stands, one node, and forks."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from office.frame import relay
from office.frame.desk import Desk
from office.frame.words import _
from office.network import service, views
from office.portal.page import Item, Request, Screen, See, page, see_other


class NetworkPages:
    """The network, for the node's administrators."""

    name = "network"
    desk: Desk
    menu = (Item("/network", _("网络运行"), icon="line", shown=service.is_admin),)

    @page("GET", "/network")
    def overview(self, request: Request) -> Screen:
        """Alarms with cause and mend, the map of the tree, and this node's processes."""
        found = self._found(request)
        spots = service.spots(self.desk, found)
        alarms, (state, tone) = views.alarms(self.desk, found), views.state(found)
        rows = [_row(one) for one in spots]
        return Screen(
            "network/overview.html",
            state=state,
            tone=tone,
            alarms=alarms,
            spots=rows,
            tally=views.tally(spots),
            facts=views.own(found),
            processes=views.processes(found),
            forks=sum(1 for one in views.forks(self.desk) if one["settled"] is None),
            json={"state": found["state"], "reasons": found["reasons"], "alarms": alarms, "nodes": rows},
        )

    @page("GET", "/network/nodes/<node>")
    def node(self, request: Request, node: str) -> Screen:
        """One node: how it is reached, what waits for it, and what is held of its logs."""
        found = self._found(request)
        one = service.spot(self.desk, found, node)
        state, tone = views.standing(one)
        values: dict[str, Any] = {
            "row": one.node,
            "state": state,
            "tone": tone,
            "facts": views.facts(one),
            "line": views.line(one),
            "voices": views.voices(next((line for line in relay.lines(self.desk.settings) if line["node"] == node), None)),
            "logs": views.logs(found, node),
            "lagging": views.lagging(found, node),
            "alarms": [row for row in views.alarms(self.desk, found) if row["node"] == node],
        }
        return Screen("network/node.html", **values, json={**values, "row": _row(one)})

    @page("GET", "/network/forks")
    def forks(self, request: Request) -> Screen:
        """What was proved against whom, and what became of it."""
        service.need_admin(self.desk)
        return Screen("network/forks.html", rows=views.forks(self.desk), guard=service.GUARD in self.desk.roles)

    @page("GET", "/network/forks/<name>/proof.jsonl", json=False)
    def proof(self, request: Request, name: str) -> Response:
        """The proof, which anybody can check without this program's help."""
        service.need_admin(self.desk)
        data = service.proof(self.desk, service.fork(self.desk, name))
        return Response(data, mimetype="application/jsonl", headers={"Content-Disposition": f'attachment; filename="fork-{name}.jsonl"'})

    @page("POST", "/network/forks/<name>/settle")
    def settle(self, request: Request, name: str) -> See:
        """The fork has been dealt with."""
        service.need_admin(self.desk)
        service.settle(self.desk, name, request.text("text"))
        return see_other("/network/forks", _("已处理，告警解除。"))

    def _found(self, request: Request) -> dict[str, Any]:
        service.need_admin(self.desk)
        return service.condition(self.desk, request.portal.office.context)


def _row(one: service.Spot) -> dict[str, Any]:
    state, tone = views.standing(one)
    about = {"id": one.node.id, "name": one.node.name, "tier": one.node.tier, "above": one.above, "url": f"/network/nodes/{one.node.id}"}
    return {**about, "is": one.state, "state": state, "tone": tone, "heard": one.heard, "waiting": one.waiting, "near": one.line is not None}


PAGES = (NetworkPages,)
