"""What a version would hold, told before it is frozen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count

from datasets_app.corpus.split import FEWEST_FOR_TEST, SPLITS, Shares
from datasets_app.models import CHOSEN, Dataset
from datasets_app.selectors.counted import counted
from datasets_app.selectors.learnable import CAN_BE_LEARNT

Groups = list[tuple[str, str | None, int, int]]


@dataclass(frozen=True, slots=True)
class Preview:
    """How many rows would go in; those without a split yet are spread as the shares say, about."""

    rows: int
    unusable: int
    settled: Counter[str]
    fresh: int
    shares: Shares

    @property
    def splits(self) -> list[tuple[str, int]]:
        """Return about how many rows each split would have."""
        test = self.shares.test if self.rows >= FEWEST_FOR_TEST else 0.0
        parts = {"test": round(self.fresh * test)}
        parts["validation"] = round(self.fresh * self.shares.validation)
        parts["train"] = self.fresh - parts["test"] - parts["validation"]
        return [(split, self.settled[split] + parts[split]) for split in SPLITS]

    @property
    def known(self) -> int:
        """Return how many rows have a split already."""
        return self.settled.total()

    @property
    def lacks(self) -> str:
        """Return why no version can be made of it; "" where one can."""
        if self.rows < 2:
            return "A version needs at least two conversations that a model can learn from."
        if self.fresh:
            return ""
        empty = [split for split in ("train", "validation") if not self.settled[split]]
        if not empty:
            return ""
        return (
            f"All these rows have a split already, and none is in “{empty[0]}”. Add conversations, "
            "or bring excluded ones back."
        )


def freeze_preview(dataset: Dataset, choice: str, shares: Shares) -> Preview:
    """Return what freezing would take now; counted once per change of the rows."""
    groups = counted(dataset, "what can be frozen", lambda: _groups(dataset))
    chosen = [group for group in groups if group[0] in CHOSEN[choice]]
    settled: Counter[str] = Counter()
    for _, split, _, learnt in chosen:
        settled[split or ""] += learnt
    rows = settled.total()
    unusable = sum(count for _, _, count, _ in chosen) - rows
    fresh = settled.pop("", 0)
    return Preview(rows, unusable, settled, fresh, shares)


def _groups(dataset: Dataset) -> Groups:
    """Return status, split, rows, and those of them that can be learnt."""
    rows = dataset.conversations.order_by().values_list("status", "split")
    return list(rows.annotate(n=Count("pk"), learnt=Count("pk", filter=CAN_BE_LEARNT)))
