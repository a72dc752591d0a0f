"""The signed kinds of joint issue (联合发文): the text goes round to the organs that issue it together, and what each of them says comes back.

The organ in the lead sends the whole text to the home nodes of the others, again whenever it or the list of organs changes; each time it says
who they all are, under a number that rises. What an organ says is about one text, by its digest: of another text it says nothing. Each organ
answers from its own node, in any order, and those that are off line when their line is back.
"""

from __future__ import annotations

import datetime as dt

from node.codec import Hash, Natural
from node.kinds import Content, kind
from office.documents.papers import Envelope, Mark, Recipient

STEPS = ("ask", "add", "drop", "hold")
"""Why the organ in the lead writes to the others: to be countersigned; one organ more; one less; the text is taken back."""


@kind("documents.consent_asked")
class ConsentAsked(Content, frozen=True):
    """会签: the organ in the lead puts its text before the organs that are to issue it together."""

    envelope: Envelope
    "As :func:`office.documents.papers.agreed` gives it."
    parties: tuple[Recipient, ...]
    "All of them, in the order in which they stand on the sheet."
    turn: Natural
    "1 first, then one more each time; the latest counts, in whatever order they come."
    step: str
    "One of :data:`STEPS`."
    changed: tuple[Recipient, ...] = ()
    "Organs that were added or dropped (加签、减签)."
    reason: str = ""

    def speaks_for(self) -> tuple[str, ...]:
        """The organ in the lead."""
        return (self.envelope.paper.organ,)


@kind("documents.consented")
class Consented(Content, frozen=True):
    """An organ's leader countersigns: the organ issues this text together with the others."""

    doc: str
    organ: str
    digest: Hash
    "Of the rendered text."
    opinion: str
    on: dt.date
    name: str
    "The signer's; under a delegation (代签) the principal's, whose fields follow as in ``documents.signed``."
    principal: str = ""
    delegation: str = ""
    basis: str = ""

    def speaks_for(self) -> tuple[str, ...]:
        """The organ that countersigns."""
        return (self.organ,)


@kind("documents.consent_refused")
class ConsentRefused(Content, frozen=True):
    """An organ returns the text (退回), with a reason: as it stands it does not issue it together with the others."""

    doc: str
    organ: str
    digest: Hash
    name: str
    reason: str

    def speaks_for(self) -> tuple[str, ...]:
        """The organ that returns it."""
        return (self.organ,)


@kind("documents.consent_sealed")
class ConsentSealed(Content, frozen=True):
    """The keeper puts an organ's seal under the text that its leader countersigned."""

    doc: str
    organ: str
    mark: Mark

    def speaks_for(self) -> tuple[str, ...]:
        """The organ whose seal it is."""
        return (self.organ,)


@kind("documents.consent_urged")
class ConsentUrged(Content, frozen=True):
    """催办: the organ in the lead urges one that has not answered, or has not put its seal there."""

    lead: str
    "The organ in the lead."
    organ: str
    digest: Hash
    "Of the text that lies before it."
    step: Natural
    "1 to 3; after the third somebody goes there."
    words: str

    def speaks_for(self) -> tuple[str, ...]:
        """The organ in the lead."""
        return (self.lead,)


CONSENTS = ("documents.consented", "documents.consent_refused", "documents.consent_sealed")
"What goes back to the organ in the lead."
