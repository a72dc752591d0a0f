"""BPMN files: what is written comes back, what does not belong is refused by name and place, and every element has its shape."""

from __future__ import annotations

import random
from xml.etree import ElementTree

import pytest

from node.errors import Invalid
from office.frame.flow import bpmn
from office.frame.flow.check import check
from office.frame.flow.drawing import draw, svg
from office.frame.flow.template import Name, Template, digest_of, index, shipped
from tests.flow.play import COUNTERSIGN, random_template, shipped_for, task, template

FOREIGN = """<?xml version="1.0"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="t"><process id="P" name="请假">
<startEvent id="S"/><userTask id="Activity_0x1" name="申请"/><exclusiveGateway id="G" default="F4"/>
<task id="Activity_2" name="批准"/><endEvent id="E"/>
<sequenceFlow id="F1" sourceRef="S" targetRef="Activity_0x1"/>
<sequenceFlow id="F2" sourceRef="Activity_0x1" targetRef="G"/>
<sequenceFlow id="F4" sourceRef="G" targetRef="E"/>
<sequenceFlow id="F3" sourceRef="G" targetRef="Activity_2"><conditionExpression>days &gt; 3</conditionExpression></sequenceFlow>
<sequenceFlow id="F5" sourceRef="Activity_2" targetRef="E"/></process></definitions>"""
TIMER = '<boundaryEvent id="B" attachedToRef="Activity_2"><timerEventDefinition/></boundaryEvent>'


@pytest.mark.parametrize("one", [*shipped(), COUNTERSIGN], ids=lambda one: one.id)
def test_a_template_comes_back_from_its_file(one: Template) -> None:
    """Exported and imported, a template has the same digest."""
    assert digest_of(bpmn.read(bpmn.write(one))) == digest_of(one)


def test_random_templates_come_back_and_everything_is_drawn() -> None:
    """Whatever is drawn: nothing is lost in the file, and each node and flow of it has a shape."""
    dice = random.Random(5)
    for _ in range(200):
        one = random_template(dice)
        data = bpmn.write(one)
        assert bpmn.read(data) == one
        root = ElementTree.fromstring(data)
        process = root.find(bpmn.MODEL + "process")
        assert process is not None
        drawn = {shape.get("bpmnElement") for shape in root.iter() if shape.tag in (bpmn.DI + "BPMNShape", bpmn.DI + "BPMNEdge")}
        assert {part.get("id") for part in process if part.get("id")} <= drawn


def test_a_file_of_another_editor_is_read_as_far_as_it_goes() -> None:
    """Names and conditions come over, ids are made ours, and what is still to decide is found by the check."""
    read = bpmn.read(FOREIGN.encode())
    assert (read.name.zh, read.first, [step.name.zh for step in read.tasks()]) == ("请假", "activity_0x1", ["申请", "批准"])
    assert [(way.to, way.when) for way in read.step("g").ways] == [("activity_2", "days > 3"), ("", "")]
    assert {"nobody", "unknown_fact"} <= {found.code for found in check(read)}


WRONG = {
    "scriptTask": ('<task id="Activity_2" name="批准"/>', '<scriptTask id="Activity_2" name="批准"><script>1</script></scriptTask>'),
    "serviceTask": ('<task id="Activity_2" name="批准"/>', '<serviceTask id="Activity_2" name="批准"/>'),
    "subProcess": ('<endEvent id="E"/>', '<endEvent id="E"/><subProcess id="X" name="子流程"/>'),
    "inclusiveGateway": ('<exclusiveGateway id="G" default="F4"/>', '<inclusiveGateway id="G"/>'),
    "timerEventDefinition": ('<startEvent id="S"/>', '<startEvent id="S"><timerEventDefinition/></startEvent>'),
    "terminateEventDefinition": ('<endEvent id="E"/>', '<endEvent id="E"><terminateEventDefinition/></endEvent>'),
    "sequenceFlow": ('targetRef="G"', 'targetRef="nowhere"'),
    "boundaryEvent": (
        '<endEvent id="E"/>',
        '<endEvent id="E"/><boundaryEvent id="B" attachedToRef="Activity_2"><timerEventDefinition/></boundaryEvent>',
    ),
    "process": ('<startEvent id="S"/>', ""),
    "definitions": ("definitions", "things"),
    "laneSet": ('<startEvent id="S"/>', '<startEvent id="S"/><laneSet id="L"/>'),
    "collaboration": ('<process id="P"', '<collaboration id="C"/><process id="P"'),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_not_in_the_subset_is_refused_by_name_and_place(what: str) -> None:
    """The refusal names the element, and the element's name or id where it has one."""
    before, after = WRONG[what]
    with pytest.raises(Invalid) as refused:
        bpmn.read(FOREIGN.replace(before, after).encode())
    assert what in refused.value.message or what in ("definitions", "process", "sequenceFlow")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<",
        b"not xml",
        b"x" * (bpmn.LARGEST + 1),
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>',
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<?xml version="1.0" encoding="none"?><a/>',
    ],
    ids=["empty", "cut", "text", "large", "bomb", "outside", "encoding"],
)
def test_hostile_files_are_refused(data: bytes) -> None:
    """Bombs, foreign entities and rubbish end in a sentence, not in a crash or a read file."""
    with pytest.raises(Invalid):
        bpmn.read(data)


def test_no_two_steps_are_drawn_over_each_other() -> None:
    """In either direction every step has a place of its own inside the picture."""
    dice = random.Random(3)
    for one in [*shipped(), *(random_template(dice) for _ in range(50))]:
        for across in (False, True):
            drawing = draw(one, across=across)
            places = [(box.x, box.y) for box in drawing.boxes.values()]
            assert len(set(places)) == len(places) == len(index(one)) + 2
            assert all(0 < box.x < drawing.wide and 0 < box.y < drawing.high for box in drawing.boxes.values())


def test_the_picture_takes_no_markup_from_names() -> None:
    """What a clerk types stays text."""
    one = template(task("a", "").__class__("a", "task", Name("<script>alert(1)</script>"), task("a", "").ways, task("a", "").who))
    assert "<script" not in svg(one, here=("a",), link="/x?step={}")
    assert ElementTree.fromstring(svg(shipped_for("documents.outgoing"), done=("draft",))).tag == "svg"
