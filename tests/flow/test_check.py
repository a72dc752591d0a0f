"""Templates: what is refused before use, conditions that cannot run anything, files that give back what was written."""

from __future__ import annotations

import pytest

from node.errors import Invalid
from office.frame.flow import condition
from office.frame.flow.check import check, refusals
from office.frame.flow.template import Asks, FactOf, Kind, Name, Part, Template, Way, Who, digest_of, read, shipped, write
from tests.flow.play import COUNTERSIGN, gate, task, template

URGENT = (FactOf("urgent", Name("急件")), FactOf("pages", Name("页数"), "number"))
WRONG: dict[str, Template] = {
    "unreached": template(task("a", ""), task("b", "")),
    "dead_end": template(task("a", "b"), task("b", "b")),
    "nowhere": template(task("a", "zzz")),
    "twice": template(task("a", ""), task("a", "")),
    "id": template(task("a-b", "")),
    "first": Template("t", "general", Name("试"), (task("a", ""),), "b"),
    "empty": Template("t", "general", Name("试"), (), ""),
    "circle": template(task("a", "b"), gate("b", Kind.CHOICE, "c"), gate("c", Kind.CHOICE, Way("", "pages > 1"), Way("b")), facts=URGENT),
    "fork": template(task("a", "b"), gate("b", Kind.FORK, "c"), task("c", "")),
    "unjoined": template(task("a", "b"), gate("b", Kind.FORK, "a", "c"), task("c", "")),
    "otherwise": template(task("a", Way("", "urgent")), facts=URGENT),
    "order": template(task("a", Way("b"), Way("")), task("b", "")),
    "nobody": template(task("a", "").__class__("a", Kind.TASK, Name("a"), (Way(""),))),
    "no_superior": template(task("a", "", who=Who("part", "units"), many="parallel", asks=Asks.COUNTERSIGN), parts=(Part("units", Name("单位")),)),
    "part": template(task("a", "", who=Who("part", "units"))),
    "term": template(task("a", "", term="three.days")),
    "unknown_fact": template(task("a", Way("b", "loud"), Way("")), task("b", "")),
    "condition": template(task("a", Way("b", "pages > 'x'"), Way("")), task("b", ""), facts=URGENT),
    "role": template(task("a", "", who=Who("role", "emperor"))),
    "no_one": template(task("a", "", who=Who("role", "signer"))),
    "use": Template("t", "nothing", Name("试"), (task("a", ""),), "a"),
    "avoided": Template("t", "documents.outgoing", Name("试"), (task("a", "b", does="draft"), task("b", "", does="sign")), "a"),
    "does": template(task("a", "", does="seal")),
    "word": template(task("a", "", stage="somewhere")),
}


@pytest.mark.row("C1")
@pytest.mark.parametrize("code", WRONG)
def test_what_is_wrong_is_found_and_said_with_what_to_do(code: str) -> None:
    """Each kind of mistake is refused in a sentence that names the step and what to change."""
    found = refusals(check(WRONG[code], lambda who: who.id != "signer"))
    assert code in [one.code for one in found]
    assert all(one.text.endswith("。") and ("请" in one.text or "只能" in one.text) for one in found if one.code == code)


def test_what_is_shipped_and_what_tests_use_is_in_order() -> None:
    """The templates for documents that come and go pass every check but that of the directory."""
    assert [check(one) for one in (*shipped(), COUNTERSIGN)] == [[], [], []]


def test_a_term_that_has_variants_is_refused_with_their_names() -> None:
    """Somebody who names the row of a rule is told which rules stand in it."""
    found = check(template(task("a", "", term="emergency.first")))
    assert "emergency.first.phone" in found[0].text


HOSTILE = [
    "__import__('os').system('id')", "().__class__.__bases__", "9**9**9**9", "'a'*10**9", "pages.real", "[x for x in (1,)]", "lambda: 1",
    "open('/etc/passwd')", "pages if urgent else 1", "f'{pages}'", "(pages := 1)", "pages + 1 > 2", "b'x'", "1.5", "{1: 2}", "*pages", "pages[0]",
    "a" * 500, "((((((" * 40, "", "urgent; urgent", "await urgent", "yield", "not",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_a_condition_can_compare_and_nothing_else(text: str) -> None:
    """Code, calls, attributes, arithmetic and whatever takes long are refused before anything is evaluated."""
    with pytest.raises(Invalid):
        condition.parsed(text)


def test_conditions_compare_facts() -> None:
    """Comparisons, lists and the three words and, or, not."""
    facts = {"pages": 12, "urgent": True, "kind": "report"}
    assert condition.holds("pages >= 12 and urgent", facts)
    assert condition.holds("kind in ('request', 'report') and not pages < -1", facts)
    assert not condition.holds("kind == 'notice' or pages != 12", facts)


def test_a_template_is_the_same_after_its_file() -> None:
    """A file for people gives back the template, digest and all; what it does not know is refused."""
    for one in shipped():
        assert digest_of(read(write(one))) == digest_of(one)
    for bad in (b"", b"[]", b'{"id": "x"}', write(shipped()[0]).replace(b'"use"', b'"used"')):
        with pytest.raises(Invalid):
            read(bad)
