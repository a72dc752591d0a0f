"""The fold of acts: what each act does, all interleavings of a countersign, random lives, the same state every time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from node.codec import pack, unpack
from node.errors import Conflict, Invalid, Missing, NodeError, Refused
from office.frame.flow import entries as said
from office.frame.flow import matter
from office.frame.flow.entries import Holder, Item, Opinion, Others
from office.frame.flow.state import Said, Sort, State, opinions, stage
from office.frame.flow.template import Kind, Name, Part, Way, Who, digest_of
from tests.flow.play import COUNTERSIGN, PEOPLE, UNITS, Play, alive, gate, random_matters, shipped_for, task, template

AGREE, CHANGE, DISAGREE = Opinion


def countersigning(signers: int, **more: object) -> Play:
    """A matter that lies with so many countersigners."""
    play = Play.begin(COUNTERSIGN, parts={"units": UNITS[:signers]}, **more)
    play.do(said.Passed("draft.1.0"))
    return play


# --- all interleavings ----------------------------------------------------------------------------------------------


def moves(state: State, *, returns: int, recalls: int) -> Iterator[said.Act]:
    """Everything that a drafter and countersigners can do, within so many more returns and recalls."""
    for seat in state.seats:
        if seat.sort == Sort.SETTLE:
            yield said.Settled(seat.id, "定")
        elif seat.step == "sign":
            yield said.Countersigned(seat.id, AGREE)
            if returns:
                yield said.Returned(seat.id, "drafter", "改", Others.SUSPEND)
                yield said.Returned(seat.id, "drafter", "改", Others.CANCEL)
        elif seat.step == "draft":
            yield said.Passed(seat.id)
    if recalls:
        yield from (said.Recalled(id) for id in sorted({line.seat.id for line in state.trail}))


def outlook(state: State) -> object:
    """What the future of a matter depends on, so that states met before are not walked again."""
    last = {line.seat.id: (line.how, line.made, line.opinion) for line in state.trail}
    seats = tuple((seat.id, seat.held, bool(seat.opened), seat.by) for seat in state.seats)
    return seats, tuple(one.seat.id for one in state.kept), tuple(sorted(last.items())), state.end


@pytest.mark.row("A7")
@pytest.mark.parametrize(("signers", "returns", "recalls"), [(1, 2, 2), (2, 2, 2), (3, 1, 1), (4, 1, 1), (5, 1, 1)])
def test_in_every_order_of_acts_each_countersigner_is_heard_and_nobody_is_lost(signers: int, returns: int, recalls: int) -> None:
    """Whatever the order of opinions, returns and recalls: a seat is open, suspended, or has spoken; it moves on when all have, never before."""
    explore(signers, returns, recalls)


def explore(signers: int, returns: int, recalls: int) -> None:
    """Walk through every state that can be reached with so many returns and recalls."""
    first = countersigning(signers).now
    find = {digest_of(COUNTERSIGN): COUNTERSIGN}.__getitem__
    met: set[object] = {outlook(first)}
    edge = [(first, returns, recalls)]
    ended = 0
    while edge:
        state, returns, recalls = edge.pop()
        for n, act in enumerate(moves(state, returns=returns, recalls=recalls)):
            try:
                after = matter.fold(find, state, Said(act, "li", "", state.touched + 1, state.touched.to_bytes(31, "big") + bytes([n])))
            except NodeError as e:
                assert isinstance(act, said.Recalled) or isinstance(e, Conflict), act
                continue
            alive(after)
            nobody_lost(after, signers)
            left = (returns - isinstance(act, said.Returned), recalls - isinstance(act, said.Recalled))
            ended += any(seat.step == "issue" for seat in after.seats)
            key = (outlook(after), left)
            if key not in met and not any(seat.step == "issue" and seat.opened for seat in after.seats):
                met.add(key)
                edge.append((after, *left))
    assert ended, "the countersign never came to an end"


def nobody_lost(state: State, signers: int) -> None:
    """Every countersigner of the present round is waiting, suspended, about to be asked again, or has agreed."""
    round_ = f"sign.{state.rounds['sign']}"
    open_ = {seat.id for seat in state.seats if seat.round == round_} | {one.seat.id for one in state.kept}
    spoken = {line.seat.id for line in opinions(state, round_)}
    if any(seat.step == "issue" for seat in state.seats):
        assert len(spoken) == signers and not open_, "it moved on before all had spoken"
    elif open_:
        assert len(open_ | spoken) == signers and not open_ & spoken
    else:
        assert [seat.step for seat in state.seats] == ["draft"], "nobody has it"


@pytest.mark.row("A7")
def test_a_return_suspends_the_others_who_keep_what_they_said() -> None:
    """Two of three have spoken or wait; the third returns it; after the revision only those who had not agreed are asked."""
    play = countersigning(3)
    play.do(said.Countersigned("sign.1.0", AGREE))
    play.do(said.Returned("sign.1.1", "drafter", "数字不对"))
    assert play.open() == ["draft.2.0"] and stage(COUNTERSIGN, play.now) == "returned"
    with pytest.raises(Conflict, match="等待"):
        play.do(said.Countersigned("sign.1.2", AGREE))
    play.do(said.Passed("draft.2.0"))
    assert sorted(play.open()) == ["sign.1.1", "sign.1.2"]


def test_a_return_that_cancels_asks_everybody_again() -> None:
    """The others are done, the trail says so, and the next round has all of them."""
    play = countersigning(3)
    play.do(said.Countersigned("sign.1.0", AGREE))
    play.do(said.Returned("sign.1.1", "previous", "重拟", Others.CANCEL))
    assert [line.how for line in play.now.trail if line.seat.id == "sign.1.2"] == ["cancelled"]
    play.do(said.Passed("draft.2.0"))
    assert play.open() == ["sign.2.0", "sign.2.1", "sign.2.2"]


def test_a_return_must_say_why_and_goes_only_where_it_has_been() -> None:
    """No reason, a step to come, and the step itself are refused."""
    play = countersigning(2)
    for act in (said.Returned("sign.1.0", "drafter", " "), said.Returned("sign.1.0", "issue", "x"), said.Returned("sign.1.0", "sign", "x")):
        with pytest.raises(Refused):
            play.do(act)


def test_a_recall_undoes_what_nobody_has_opened() -> None:
    """The sender has it back as long as the next has not looked; one who has opened it keeps it."""
    play = countersigning(2)
    play.do(said.Recalled("draft.1.0", "漏了附件"))
    assert play.open() == ["draft.1.0"]
    play.do(said.Passed("draft.1.0"))
    seats = play.open()
    play.do(said.Opened(seats[0]))
    with pytest.raises(Refused) as refused:
        play.do(said.Recalled("draft.1.0"))
    assert refused.value.code == "opened"


def test_an_opinion_may_be_taken_back_while_the_round_lasts() -> None:
    """What one countersigner said counts no more, what the others said still does."""
    play = countersigning(2)
    play.do(said.Countersigned("sign.1.0", AGREE))
    play.do(said.Recalled("sign.1.0"))
    play.do(said.Countersigned("sign.1.1", AGREE))
    assert play.open() == ["sign.1.0"]


def test_disagreement_goes_to_the_superior_and_is_never_outvoted() -> None:
    """Four agree, one does not: the superior of the lead decides, in words."""
    play = countersigning(5)
    for n in range(4):
        play.do(said.Countersigned(f"sign.1.{n}", AGREE))
    with pytest.raises(Invalid):
        play.do(said.Countersigned("sign.1.4", DISAGREE))
    play.do(said.Countersigned("sign.1.4", DISAGREE, "经费没有着落"))
    settle = play.now.live()[0]
    assert (settle.sort, settle.holders) == (Sort.SETTLE, (Holder("role", "signer", "gov"),))
    play.do(said.Settled(settle.id, "按多数意见，经费年内调剂"))
    assert play.open("issue")


def test_silence_is_not_consent() -> None:
    """However long nobody says anything, the countersign stays where it is: no act stands for a term that passed."""
    play = countersigning(2)
    for _ in range(3):
        play.do(said.Urged("sign.1.0", "phone"))
    assert play.open() == ["sign.1.0", "sign.1.1"]


@pytest.mark.row("C7")
def test_three_urgings_then_supervision() -> None:
    """Each urging keeps channel, time and answer; the fourth is refused, for now it is supervision's."""
    play = countersigning(1)
    with pytest.raises(Refused):
        play.do(said.Supervised("sign.1.0"))
    for channel in ("screen", "phone", "paper"):
        play.do(said.Urged("sign.1.0", channel))
        play.do(said.UrgeAnswered("sign.1.0", "明天办"))
    with pytest.raises(Refused) as refused:
        play.do(said.Urged("sign.1.0", "phone"))
    assert refused.value.code == "supervise"
    play.do(said.Supervised("sign.1.0", "item-7"))
    seat = play.now.live()[0]
    assert seat.supervised == "item-7"
    assert [(one.channel, one.answer, one.answered > one.at) for one in seat.urges] == [(c, "明天办", True) for c in ("screen", "phone", "paper")]


def test_signers_are_added_and_dropped_but_never_the_last() -> None:
    """One more is asked, two are let go, the last one stays."""
    play = countersigning(2)
    play.do(said.SignerAdded("sign.1.0", PEOPLE[0]))
    assert play.open() == ["sign.1.0", "sign.1.1", "sign.1.2"]
    play.do(said.SignerDropped("sign.1.0", "与其无关"))
    play.do(said.SignerDropped("sign.1.1", "与其无关"))
    with pytest.raises(Refused) as refused:
        play.do(said.SignerDropped("sign.1.2", "与其无关"))
    assert refused.value.code == "last_signer"


@pytest.mark.row("C9")
def test_a_split_closes_only_when_its_lead_has_closed() -> None:
    """One lead, no more and no less; assistants may be late; nothing of it outlives the whole."""
    play = Play.begin(COUNTERSIGN)
    with pytest.raises(Invalid):
        play.do(said.Split("draft.1.0", (Item("甲", PEOPLE[0]), Item("乙", PEOPLE[1]))))
    play.do(said.Split("draft.1.0", (Item("甲", PEOPLE[0], True), Item("乙", PEOPLE[1]))))
    with pytest.raises(Refused) as refused:
        play.do(said.Passed("draft.1.0"))
    assert refused.value.code == "lead_open"
    play.do(said.Forwarded("draft.1.0/0", PEOPLE[2], "调岗"))
    play.do(said.ItemClosed("draft.1.0/0", "已办"))
    play.do(said.Passed("draft.1.0"))
    line = play.now.trail[-2] if play.now.trail[-1].how == "skipped" else play.now.trail[-1]
    assert [bool(piece.done) for piece in line.seat.pieces] == [True, True]


@pytest.mark.row("A6")
def test_signing_for_another_and_entering_handwriting_are_told_apart() -> None:
    """代签 shows who signed, for whom and by what; 代录 shows who entered it and the scanned page."""
    play = countersigning(2)
    play.do(said.SignedFor("sign.1.0", "wang", "delegation-3", "同意", AGREE), by="chen")
    play.do(said.Transcribed("sign.1.1", "zhang", "同意。张 11.23", bytes(32), AGREE), by="clerk")
    lines = [line for line in play.now.trail if line.seat.step == "sign"]
    assert [(line.how, line.person, line.principal, line.basis) for line in lines] == [
        ("sign_for", "chen", "wang", "delegation-3"),
        ("transcribe", "clerk", "zhang", bytes(32).hex()),
    ]


def test_circulation_shows_where_it_lies_and_who_has_not_read() -> None:
    """One after the other: the second has it only when the first has read it; it goes on after the matter is over."""
    play = Play.begin(template(task("only", "")))
    play.do(said.Circulated(PEOPLE[:3], serial=True))
    assert [bool(one.since) for one in play.now.reading] == [True, False, False]
    with pytest.raises(Missing):
        play.do(said.Read(1))
    play.do(said.Passed("only.1.0"))
    play.do(said.Read(0, "阅"))
    assert [bool(one.since) for one in play.now.reading] == [True, True, False]
    assert [bool(one.read) for one in play.now.reading] == [True, False, False]


def test_supplement_and_suspension_stop_only_the_clocks_they_may() -> None:
    """A clock that the rule lets stand still does so until the paper has come; the others go on."""
    of = template(task("handle", "", term="disclose.reply"), term="petition.close")
    play = Play.begin(of)
    play.do(said.SupplementAsked("handle.1.0", "缺身份证明", "correction", ("disclose.reply",)))
    stopped = {clock.rule: [(stop.since, stop.until) for stop in clock.stops] for clock in play.now.clocks}
    assert stopped == {"petition.close": [], "disclose.reply": [(2000, 0)]}
    play.do(said.Supplemented(restarts=("disclose.reply",)))
    reply = next(clock for clock in play.now.clocks if clock.rule == "disclose.reply")
    assert (reply.stops[0].until, reply.again) == (3000, (3000,))
    play.do(said.Passed("handle.1.0"))
    assert all(clock.met == 4000 for clock in play.now.clocks)


def test_an_extension_is_asked_for_and_granted_by_somebody_else() -> None:
    """More time is kept with approver and reason; a refusal changes no clock."""
    play = Play.begin(template(task("handle", "", term="permit.decide")))
    play.do(said.ExtensionAsked("handle.1.0", "permit.decide", "10wd", "需要核查"))
    assert play.now.extension is not None
    play.do(said.Extended("permit.decide", "10wd", "organ_head", "不予延期", granted=False))
    assert play.now.clocks[0].longer == () and play.now.extension is None
    play.do(said.Extended("permit.decide", "10wd", "organ_head", "同意", told=True))
    assert [one.by for one in play.now.clocks[0].longer] == ["10wd"]


def test_suspended_void_and_merged_matters_take_nothing_more() -> None:
    """Suspended: nothing but resuming or ending; ended: nothing but reading."""
    play = countersigning(2)
    play.do(said.Suspended("等待上级批复"))
    with pytest.raises(Conflict):
        play.do(said.Countersigned("sign.1.0", AGREE))
    play.do(said.Resumed())
    play.do(said.Voided("重复"))
    with pytest.raises(Conflict):
        play.do(said.Resumed())
    assert stage(COUNTERSIGN, play.now) == "void"
    other = countersigning(1)
    other.do(said.Merged("another", "同一件事", duplicate=True))
    assert (stage(COUNTERSIGN, other.now), other.now.into) == ("transferred", "another")


@pytest.mark.row("C2")
def test_a_free_jump_goes_anywhere_and_says_who_lost_it() -> None:
    """Everybody who had it is told; whoever is named has it."""
    play = countersigning(3)
    play.do(said.Jumped("issue", "急件", PEOPLE[3]))
    assert [seat.holders for seat in play.now.live()] == [(PEOPLE[3],)]
    assert [line.how for line in play.now.trail if line.seat.step == "sign"] == ["jump"] * 3


def test_a_join_waits_for_all_branches_and_no_longer() -> None:
    """Three reviews at once; the fourth step comes after the last of them, whatever their order."""
    for order in itertools.permutations(("legal", "competition", "burden")):
        play = Play.begin(shipped_for("documents.outgoing"), facts={"normative": True})
        play.do(said.Passed("draft.1.0"))
        for step in order:
            assert not play.open("review")
            play.do(said.Passed(play.open(step)[0]))
        assert play.open() == ["review.1.0"]


def test_a_return_out_of_a_branch_walks_only_its_branch_again() -> None:
    """What the other branches did stays done; those still at work wait until the draft is back."""
    play = Play.begin(shipped_for("documents.outgoing"), facts={"normative": True})
    play.do(said.Passed("draft.1.0"))
    play.do(said.Passed("legal.1.0"))
    play.do(said.Returned("burden.1.0", "drafter", "与上级口径不一致"))
    assert play.open() == ["draft.2.0"]
    play.do(said.Passed("draft.2.0"))
    assert sorted(play.open()) == ["burden.1.0", "competition.1.0"]
    play.do(said.Passed("competition.1.0"))
    play.do(said.Passed("burden.1.0"))
    assert play.open() == ["review.1.0"]


def test_conditions_choose_the_way_and_what_cannot_be_compared_is_otherwise() -> None:
    """The first condition that holds decides; one that fails while it is asked does not hold."""
    of = template(task("ask", Way("high", "count > 10"), Way("low")), task("high", ""), task("low", ""), facts=())
    assert Play.begin(of).do(said.Passed("ask.1.0")).live()[0].step == "low"


def test_a_serial_step_asks_one_after_the_other() -> None:
    """The next is asked when the one before has passed it on; one dropped in between is skipped."""
    of = template(task("check", "", who=Who("part", "heads"), many="serial"), parts=(Part("heads", Name("核稿人")),))
    play = Play.begin(of, parts={"heads": PEOPLE[:3]})
    assert [seat.holders for seat in play.now.live()] == [(PEOPLE[0],)]
    play.do(said.Passed(play.open()[0]))
    play.do(said.SignerDropped(play.open()[0], "出差"))
    assert [seat.holders for seat in play.now.live()] == [(PEOPLE[2],)]
    play.do(said.Passed(play.open()[0]))
    assert play.now.end == "closed"


def test_tokens_that_go_round_without_anybody_are_refused() -> None:
    """An act that would send the matter round for ever is refused and changes nothing."""
    of = template(task("ask", "a"), gate("a", Kind.CHOICE, "b"), gate("b", Kind.CHOICE, "a"))
    play = Play.begin(of)
    with pytest.raises(Invalid) as refused:
        play.do(said.Passed("ask.1.0"))
    assert refused.value.code == "endless" and play.open() == ["ask.1.0"]


@pytest.mark.row("C2")
def test_random_lives_leave_no_dead_matter() -> None:
    """Tens of thousands of random acts under random templates: every matter ends or can be gone on with, and no seat vanishes unsaid."""
    plays = list(random_matters(20261123, 20_000))
    assert sum(play.now.end == "closed" for play in plays) > len(plays) // 10


def test_the_same_acts_make_the_same_state() -> None:
    """Folded again from nothing, through stored bytes after each act or in one go, the state is the same to the byte."""
    for play in random_matters(7, 2_000):
        whole = matter.replay(play.find, play.acts)
        stored = matter.start(play.find, play.acts[0])
        for act in play.acts[1:]:
            stored = matter.fold(play.find, unpack(pack(stored), State), act)
        assert pack(whole) == pack(stored) == pack(play.now)
