"""One conversation with what the rules say about it, and its neighbours in the table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from datasets_app.corpus.conversation import from_json
from datasets_app.corpus.difference import TurnDifference, turn_differences
from datasets_app.corpus.rules.registry import label_of
from datasets_app.models import Conversation, ConversationRevision, Dataset, Finding, Origin
from datasets_app.selectors.marking import Piece, marked
from datasets_app.selectors.origins import source_of
from datasets_app.selectors.pairs import ground_of
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.selectors.searching import hits_in
from datasets_app.selectors.tags import tags_of_rows


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A finding with the rule's name for people."""

    label: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class ShownTurn:
    """A turn of the drawer with its findings."""

    number: int
    role: str
    pieces: list[Piece]
    findings: list[ShownFinding]


@dataclass(frozen=True, slots=True)
class Change:
    """How a row differs from what it said when it came, and who changed it last."""

    last: ConversationRevision
    differences: list[TurnDifference]


def conversation_page(dataset: Dataset, row: Conversation, rows: RowFilter) -> dict[str, Any]:
    """Return what the page and the drawer of a row show."""
    turns = shown_turns(row, rows.search)
    return {
        "dataset": dataset,
        "row": row,
        "turns": turns,
        "shown_first": first_hit(turns) if rows.search else first_flagged(turns),
        "source": source_of(row),
        "ground": ground_of(row) if row.origin == Origin.DOCUMENT else None,
        "tags": tags_of_rows([row.pk]).get(row.pk, []),
        "change": change_of(row),
        "beside": rows.neighbours(row),
        "filter": rows,
        "here": rows.here,
    }


def change_of(row: Conversation) -> Change | None:
    """Return what people changed; None where the row says what it said when it came."""
    if row.revision == 1:
        return None
    ends = row.revisions.filter(Q(revision=1) | Q(revision=row.revision - 1))
    found = list(ends.select_related("replaced_by").order_by("revision"))
    if not found or found[0].row_hash == row.row_hash:
        return None
    return Change(found[-1], turn_differences(from_json(found[0].turns), from_json(row.turns)))


def shown_turns(row: Conversation, search: str = "") -> list[ShownTurn]:
    """Return the turns with the findings' spans and what was searched for marked; one query."""
    findings: dict[int, list[Finding]] = {}
    for finding in row.findings.order_by("turn", "rule"):
        findings.setdefault(finding.turn, []).append(finding)
    return [
        ShownTurn(
            number=number,
            role=turn["role"],
            pieces=marked(
                turn["text"], _spans(findings.get(number, [])), hits_in(turn["text"], search)
            ),
            findings=[
                ShownFinding(label_of(finding.rule), finding)
                for finding in findings.get(number, [])
            ],
        )
        for number, turn in enumerate(row.turns)
    ]


def first_flagged(turns: Iterable[ShownTurn]) -> int | None:
    """Return the number of the first turn with a finding."""
    return next((turn.number for turn in turns if turn.findings), None)


def first_hit(turns: Iterable[ShownTurn]) -> int | None:
    """Return the number of the first turn that holds what was searched for."""
    found = (turn.number for turn in turns if any(piece.is_hit for piece in turn.pieces))
    return next(found, None)


def _spans(findings: Iterable[Finding]) -> list[tuple[int, int]]:
    return sorted((start, end) for finding in findings for start, end in finding.spans)
