"""What the page of prepared data shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from training_app.models import Preparation


@dataclass(frozen=True, slots=True)
class Bar:
    """Texts of one length; `height` is in percent of the most frequent."""

    low: int
    high: int
    count: int
    height: int

    @property
    def top(self) -> int:
        return 100 - self.height


def shown_facts(made: Preparation) -> dict[str, Any]:
    """Return what was found of prepared data; nothing until they are there."""
    if not made.path:
        return {}
    splits = [{**one, "bars": _bars(one["lengths"])} for one in made.facts["splits"]]
    return {**made.facts, "splits": splits, "cut": list(_cut(made, splits))}


def _bars(lengths: list[tuple[int, int]]) -> list[Bar]:
    most = max(count for _, count in lengths)
    return [
        Bar(high // 2 + 1 if high > 1 else 1, high, count, -(-100 * count // most))
        for high, count in lengths
    ]


def _cut(made: Preparation, splits: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what of the version is read in pieces, cut or left out, and why."""
    context, learns_with_known = made.facts["context"], made.spec["data"].get("sources")
    held = made.version.counts.get("splits", {})
    for split in splits:
        name = "to learn from" if split["name"] == "train" else "of validation"
        if learns_with_known:
            yield (
                f"{split['texts']:,} exchanges {name}, made of {held.get(split['name'], 0):,} rows:"
                " of very many rows some thousand, spread evenly; passages are left out, since "
                "nobody asks there."
            )
            if split["at_context"]:
                yield (
                    f"{split['at_context']:,} of them fill the context of {context:,} tokens: what "
                    "did not fit (earlier turns, known answers, the end of a long answer) is cut."
                )
        elif split["overlong"]:
            yield (
                f"{split['overlong']:,} {name} are longer than the context of {context:,} tokens: "
                "they are read in pieces, and nothing of them is lost."
            )
        if split["unlearnt_texts"]:
            yield f"Of {split['unlearnt_texts']:,} {name} nothing is learnt: they are only read."
    if last_words := made.version.counts.get("last_words"):
        yield f"{last_words:,} end with the user, whom nobody answers: that last turn is left out."
    if unusable := made.version.counts.get("unusable"):
        yield f"{unusable:,} more were left out when the version was frozen: nobody answers there."
