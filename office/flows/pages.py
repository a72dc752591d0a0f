"""Screens of the designer and of where matters lie."""

from __future__ import annotations

from typing import Any, ClassVar

from node.errors import Invalid, NodeError
from office.flows import forms, labels, service
from office.flows.forms import coded, who_words
from office.frame.calendar import Workdays
from office.frame.desk import Desk
from office.frame.flow import bpmn, diff, migrate, trial, uses
from office.frame.flow.drawing import svg
from office.frame.flow.entries import Holder
from office.frame.flow.template import Fact, Template, index
from office.frame.words import _
from office.portal.page import Act, Item, Request, Response, Screen, See, page, see_other


def words(desk: Desk, template: Template) -> dict[str, str]:
    """Who does each step, as people say it."""
    return {step.id: "、".join(who_words(desk, template, one) for one in step.who) for step in template.steps}


def picture(desk: Desk, template: Template, **more: Any) -> str:
    """The picture of a template."""
    return svg(template, words=words(desk, template), **more)


class FlowPages:
    """Templates, their versions and drafts, trials, running matters."""

    name: ClassVar[str] = "flows"
    desk: Desk
    menu = (Item("/flows", _("流程定制"), icon="flow"),)

    @page("GET", "/flows")
    def flows(self, request: Request) -> Screen:
        """All templates by what they are for, drafts, and what can be begun."""
        desk = self.desk
        found = service.versions(desk)
        latest = list({one.template.id: one for one in reversed(found)}.values())[::-1]
        return Screen(
            "flows/list.html",
            rows=[(one, sum(v.running for v in found if v.template.id == one.template.id)) for one in latest],
            drafts=service.drafts(desk) if service.designs(desk) else [],
            designs=service.designs(desk),
            uses=uses.USES,
            use_words={use.id: use.name for use in uses.USES},
            json={"templates": [_plain(one) for one in latest]},
        )

    @page("GET", "/flows/<template>")
    def template(self, request: Request, template: str) -> Screen:
        """One template: its picture, versions, where its matters lie and how long."""
        desk = self.desk
        found = service.versions(desk, template)
        lies = service.lies(desk, template)
        return Screen(
            "flows/show.html",
            version=found[0],
            versions=found,
            picture=picture(desk, found[0].template),
            lies=lies,
            designs=service.designs(desk),
            batches=service.batches(desk, template) if service.designs(desk) else [],
            who=words(desk, found[0].template),
            labels=labels,
            acts=[Act(f"/flows/{template}/retire", _("停用"), kind="danger", ask=_("停用原因"), need=True)]
            if found[0].at and not found[0].retired
            else [],
            json={"template": _plain(found[0]), "versions": [_plain(one) for one in found], "lying": lies},
        )

    @page("GET", "/flows/versions/<digest>")
    def version(self, request: Request, digest: str) -> Screen:
        """One version, and what changed since another."""
        desk = self.desk
        found = service.version(desk, digest)
        all_ = [one for one in service.versions(desk, found.template.id) if one.digest != digest]
        other = next((one for one in all_ if one.digest == request.query("with")), all_[0] if all_ else None)
        changes = diff.differences(other.template, found.template) if other is not None else []
        return Screen(
            "flows/version.html",
            version=found,
            choices=_choices(all_),
            others=all_,
            other=other,
            changes=changes,
            picture=picture(desk, found.template),
            who=words(desk, found.template),
            labels=labels,
            designs=service.designs(desk),
            json={"version": _plain(found), "changes": changes},
        )

    @page("GET", "/flows/versions/<digest>/file", json=False)
    def export(self, request: Request, digest: str) -> Response:
        """A version as a BPMN file."""
        return _file(service.version(self.desk, digest).template)

    @page("POST", "/flows/versions/<digest>/draft")
    def change(self, request: Request, digest: str) -> See:
        """A draft of the next version."""
        draft = service.change_version(self.desk, digest)
        return see_other(f"/flows/drafts/{draft}", _("已开始新一版草稿，发布以前不影响在办事项。"), draft=draft)

    @page("POST", "/flows/<template>/retire")
    def retire(self, request: Request, template: str) -> See:
        """Use a template no more."""
        service.retire(self.desk, template, reason=request.text("text"))
        return see_other(f"/flows/{template}", _("已停用，在办事项不受影响。"))

    @page("POST", "/flows/new")
    def new(self, request: Request) -> See:
        """A draft from nothing."""
        draft = service.blank(self.desk, request.text("use"), request.text("name"))
        return see_other(f"/flows/drafts/{draft}", _("已建立草稿。"), draft=draft)

    @page("POST", "/flows/import", upload=True)
    def take(self, request: Request) -> See:
        """A draft from a BPMN file."""
        file = request.files.get("file")
        if file is None or not file.filename:
            raise Invalid(_("请选择一个 BPMN 文件。"), code="file")
        draft = service.begin(self.desk, bpmn.read(file.read(bpmn.LARGEST + 1)))
        return see_other(f"/flows/drafts/{draft}", _("已导入为草稿。"), draft=draft)

    # drafts

    @page("GET", "/flows/drafts/<id>")
    def draft(self, request: Request, id: str) -> Screen:
        """The editor: one step at a time beside the picture, and what is wrong."""
        desk, held = self.desk, service.draft(self.desk, id)
        template, chosen = held.drawn, request.query("step")
        step = index(template).get(chosen)
        base = service.version(desk, held.base) if held.base else None
        use = uses.use_of(template.use)
        found = service.findings(desk, template)
        return Screen(
            "flows/draft.html",
            draft=held,
            template=template,
            step=step,
            step_who=[coded(one) for one in step.who] if step is not None else [],
            step_dispute=coded(step.dispute[0]) if step is not None and step.dispute else "",
            picture=picture(desk, template, chosen=chosen, link=f"/flows/drafts/{id}?step={{}}#edit"),
            findings=found,
            changes=diff.differences(base.template, template) if base is not None else [],
            base=base,
            labels=labels,
            who=words(desk, template),
            who_options=forms.who_options(desk, template),
            step_options=forms.step_options(template),
            term_options=forms.term_options(),
            does=list(use.does.items()) if use is not None else [],
            uses=[(one.id, one.name) for one in uses.USES],
            organs=[(o.id, o.short_name) for o in desk.directory.organs_at(desk.node) if o.may_issue],
            json={"draft": held.id, "template": template, "findings": found},
        )

    @page("POST", "/flows/drafts/<id>/general")
    def general(self, request: Request, id: str) -> See:
        """Save names, parts and facts."""
        found = service.save(self.desk, id, forms.general(service.draft(self.desk, id).drawn, request))
        return see_other(f"/flows/drafts/{id}", _saved(found), findings=len(found))

    @page("POST", "/flows/drafts/<id>/steps")
    def add(self, request: Request, id: str) -> See:
        """One step more, behind another."""
        template, step = forms.added(service.draft(self.desk, id).drawn, request.text("after"))
        service.save(self.desk, id, template)
        return see_other(f"/flows/drafts/{id}?step={step}#edit", _("已加上环节，请填写。"), step=step)

    @page("POST", "/flows/drafts/<id>/steps/<step>")
    def step(self, request: Request, id: str, step: str) -> See:
        """Save one step."""
        found = service.save(self.desk, id, forms.step(service.draft(self.desk, id).drawn, step, request))
        return see_other(f"/flows/drafts/{id}?step={step}#edit", _saved(found), findings=len(found))

    @page("POST", "/flows/drafts/<id>/steps/<step>/remove")
    def remove(self, request: Request, id: str, step: str) -> See:
        """Take a step out."""
        service.save(self.desk, id, forms.removed(service.draft(self.desk, id).drawn, step))
        return see_other(f"/flows/drafts/{id}", _("已删去环节。"))

    @page("POST", "/flows/drafts/<id>/steps/<step>/move")
    def turn(self, request: Request, id: str, step: str) -> See:
        """A step earlier or later in the list."""
        service.save(self.desk, id, forms.turned(service.draft(self.desk, id).drawn, step, -1 if request.text("by") == "-1" else 1))
        return see_other(f"/flows/drafts/{id}?step={step}#edit", _("已移动。"))

    @page("POST", "/flows/drafts/<id>/publish")
    def publish(self, request: Request, id: str) -> See:
        """Put it into use."""
        template = service.draft(self.desk, id).template
        digest = service.publish(self.desk, id, note=request.text("text"))
        return see_other(f"/flows/{template}", _("已发布，新事项按这一版办理。"), digest=digest)

    @page("POST", "/flows/drafts/<id>/drop")
    def drop(self, request: Request, id: str) -> See:
        """Throw it away."""
        service.drop(self.desk, id)
        return see_other("/flows", _("草稿已删除。"))

    @page("GET", "/flows/drafts/<id>/file", json=False)
    def save_file(self, request: Request, id: str) -> Response:
        """A draft as a BPMN file."""
        return _file(service.draft(self.desk, id).drawn)

    # trials

    @page("GET", "/flows/drafts/<id>/trial")
    def try_draft(self, request: Request, id: str) -> Screen:
        """Walk a made-up matter through a draft."""
        return self._trial(request, service.draft(self.desk, id).drawn, f"/flows/drafts/{id}")

    @page("GET", "/flows/versions/<digest>/trial")
    def try_version(self, request: Request, digest: str) -> Screen:
        """Walk a made-up matter through a version."""
        return self._trial(request, service.version(self.desk, digest).template, f"/flows/versions/{digest}")

    def _trial(self, request: Request, template: Template, back: str) -> Screen:
        desk = self.desk
        organs = [o for o in desk.directory.organs_at(desk.node) if o.may_issue]
        organ = request.query("organ") or next((o.id for o in (*desk.organs, *organs) if o.may_issue), "")
        facts = {one.id: _fact(one.shape, request.query("f_" + one.id)) for one in template.facts}
        chosen = {part.id: request.args.getlist("p_" + part.id) for part in template.parts}
        parts = {id: tuple(Holder("organ", one) for one in found) for id, found in chosen.items() if found}
        days, trouble, found = Workdays(desk.directory.calendars()), "", None
        try:
            found = trial.walk(template, request.query("acts"), organ=organ, now=desk.now, days=days, facts=facts, parts=parts)
        except NodeError as e:
            trouble = e.message
        here = {seat.step for seat in found.state.live()} if found else set()
        return Screen(
            "flows/trial.html",
            template=template,
            back=back,
            trial=found,
            trouble=trouble,
            people=[(seat, self._people(template, seat.holders, organ)) for seat in found.state.live()] if found else [],
            unit=organ,
            organs=[(o.id, o.short_name) for o in organs],
            facts=facts,
            chosen=chosen,
            picture=picture(desk, template, here=here, done={line.step for line in found.state.trail} - here if found else ()),
            labels=labels,
            json={"state": found.state if found else None, "choices": found.choices if found else [], "trouble": trouble},
        )

    def _people(self, template: Template, holders: tuple[Holder, ...], organ: str) -> list[tuple[str, str]]:
        """Who somebody is in the directory: (word, names)."""
        directory, found = self.desk.directory, []
        for holder in holders:
            if holder.how == "person":
                found.append((str(_("拟稿人（发起人）")), ""))
            elif holder.how == "role":
                names = "、".join(person.name for person in directory.holders(holder.id, holder.organ or organ))
                found.append((str(labels.ROLE_WORDS.get(holder.id, holder.id)), names))
            elif holder.how == "post":
                post = directory.post(holder.id)
                held = directory.people_of(post.organ) if post is not None else ()
                names = "、".join(f.person.name for f in held if any(h.post.id == holder.id for h in f.holdings))
                found.append((post.title if post is not None else holder.id, names))
            else:
                unit = directory.organ(holder.id)
                found.append((unit.short_name if unit is not None else holder.id, ""))
        return found

    # running matters

    @page("GET", "/flows/versions/<digest>/move")
    def moving(self, request: Request, digest: str) -> Screen:
        """What would become of each running matter under another version."""
        desk = self.desk
        old = service.version(desk, digest)
        all_ = [one for one in service.versions(desk, old.template.id) if one.digest != digest]
        new = next((one for one in all_ if one.digest == request.query("to")), all_[0] if all_ else None)
        gone = migrate.gone(old.template, new.template) if new is not None else []
        instead = {step.id: request.query("s_" + step.id) for step in gone if request.query("s_" + step.id)}
        rows = service.preview(desk, digest, new.digest, instead) if new is not None else []
        return Screen(
            "flows/move.html",
            old=old,
            new=new,
            choices=_choices(all_),
            gone=gone,
            instead=instead,
            rows=rows,
            fit=sum(not row.preview.why for row in rows),
            steps=[(step.id, str(step.name)) for step in new.template.tasks()] if new is not None else [],
            designs=service.designs(desk),
            json={"rows": [{"matter": row.matter.id, "why": row.preview.why, "steps": row.preview.steps} for row in rows]},
        )

    @page("POST", "/flows/versions/<digest>/move")
    def move(self, request: Request, digest: str) -> See:
        """Move all that can be."""
        old = service.version(self.desk, digest)
        instead = {step.id: request.text("s_" + step.id) for step in old.template.steps if request.text("s_" + step.id)}
        batch = service.move(self.desk, digest, request.text("to"), instead, reason=request.text("text"))
        return see_other(f"/flows/{old.template.id}", _("已换用新版，可以在本页撤销。"), batch=batch)

    @page("POST", "/flows/batches/<batch>/undo")
    def undo(self, request: Request, batch: str) -> See:
        """Take a batch back."""
        count = service.undo(self.desk, batch, reason=request.text("text"))
        return see_other("/flows", _("已撤销 {n} 件。").format(n=count), count=count)


def _choices(found: list[service.Version]) -> list[tuple[str, str]]:
    return [(one.digest, _("第 {n} 版").format(n=one.template.version) if one.at else str(_("随程序"))) for one in found]


def _acts(latest: service.Version) -> list[Act]:
    if not latest.at or latest.retired:
        return []
    return [Act(f"/flows/{latest.template.id}/retire", _("停用"), kind="danger", ask=_("停用原因"), need=True)]


def _saved(found: list[Any]) -> str:
    wrong = sum(one.refuses for one in found)
    return _("已保存，还有 {n} 处要改才能发布。").format(n=wrong) if wrong else _("已保存，可以发布。")


def _fact(shape: str, text: str) -> Fact:
    if shape == "number":
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    return text if shape == "text" else text == "1"


def _file(template: Template) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{template.id.replace(chr(34), "")}.bpmn"'}
    return Response(bpmn.write(template), mimetype="application/xml", headers=headers)


def _plain(one: service.Version) -> dict[str, Any]:
    about = {"digest": one.digest, "id": one.template.id, "use": one.template.use, "name": one.template.name, "version": one.template.version}
    return about | {"at": one.at, "person": one.person, "note": one.note, "retired": one.retired, "running": one.running}


PAGES = (FlowPages,)
