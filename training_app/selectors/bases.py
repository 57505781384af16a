"""What the page of base models shows: what is here, on its way, and could be fetched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User

from datasets_app.models import Upload
from otto_web.lib.work.states import State
from training_app.lm.bases.known import KnownBase, known_bases
from training_app.models import Base, BaseKind, BaseSource
from training_app.selectors.local_models import local_offers

ARRIVED = (State.QUEUED, State.RUNNING, State.SUCCEEDED, State.FAILED)  # with its last byte
PHASES = {
    "fetching": "Fetching the package",
    "checking": "Comparing hashes",
    "converting": "Converting it, once",
}


@dataclass(frozen=True, slots=True)
class BaseLine:
    """One base of the shelf: its row, what OTTO knows of it by name, or both."""

    base: Base | None
    known: KnownBase | None

    @property
    def name(self) -> str:
        return self.base.name if self.base else self._known.name

    @property
    def title(self) -> str:
        return self.base.title if self.base else self._known.title

    @property
    def kind(self) -> str:
        """Return what it is for, in words; empty while nobody has looked into it."""
        kind = (self.base and self.base.kind) or (self.known and self.known.kind)
        return BaseKind(kind).label if kind else ""

    @property
    def licence(self) -> str:
        return self.base.licence if self.base else self._known.licence

    @property
    def languages(self) -> Sequence[str]:
        return self.base.languages if self.base else self._known.languages

    @property
    def where_from(self) -> str:
        return self.base.where_from if self.base else self._known.source

    @property
    def package(self) -> str:
        return self.known.package if self.known else ""

    @property
    def sha256(self) -> str:
        """Return the hash of the file that the model came in."""
        if self.known:
            return self.known.sha256
        return str(self.base.spec.get("sha256", "")) if self.base else ""

    @property
    def figures(self) -> dict[str, Any]:
        return self.base.figures if self.base and self.is_here else {}

    @property
    def context(self) -> int:
        return int(self.figures.get("context") or self.figures.get("max_tokens") or 0)

    @property
    def is_here(self) -> bool:
        return self.base is not None and self.base.state == State.SUCCEEDED

    @property
    def is_under_way(self) -> bool:
        return self.base is not None and self.base.is_under_way

    @property
    def is_fetched(self) -> bool:
        """Return whether its package is fetched now, or next."""
        base = self.base
        if base is None or self.known is None or not base.is_under_way or base.spec.get("local"):
            return False
        return base.phase in {"", "fetching"} and base.source == BaseSource.PACKAGE

    @property
    def phase(self) -> str:
        """Return what is done with it now, in words."""
        if self.base is None or self.base.state != State.RUNNING:
            return "Waits for its turn"
        return PHASES.get(self.base.phase, "Looking at it")

    @property
    def bytes_total(self) -> int:
        return self.base.bytes_total if self.base else self._known.package_bytes

    @property
    def _known(self) -> KnownBase:
        if self.known is None:
            raise ValueError("a line has a row, or is of a base that OTTO knows")
        return self.known


@dataclass(frozen=True, slots=True)
class Shelf:
    """Everything that the page shows."""

    lines: Sequence[BaseLine]
    coming: Sequence[Upload]  # files that arrived and that nobody has looked into yet
    offers: Sequence[str]  # what lies in the folder of local models and is not taken in yet
    folder: str

    @property
    def is_moving(self) -> bool:
        return bool(self.coming) or any(line.is_under_way for line in self.lines)

    @property
    def missing(self) -> Sequence[BaseLine]:
        """Return the known ones that are neither here nor on their way."""
        known = (line for line in self.lines if line.known)
        return [line for line in known if not (line.is_here or line.is_under_way)]

    @property
    def bytes_on_the_way(self) -> int:
        """Return how many bytes are fetched now, or will be."""
        return sum(line.bytes_total for line in self.lines if line.is_fetched)


def shelf(user: User) -> Shelf:
    """Return what is on the shelf: known ones in their order, then what people added."""
    rows = Base.objects.visible_to(user).select_related("model", "encoder", "created_by")
    by_name = {row.name: row for row in rows.order_by("created_at")}
    known = known_bases()
    lines = [BaseLine(by_name.pop(name, None), one) for name, one in known.items()]
    lines += [BaseLine(row, None) for row in by_name.values() if row.state != State.CANCELLED]
    coming = Upload.objects.of_models().filter(base=None, state__in=ARRIVED)
    taken = {row.spec.get("local") for row in rows if row.state != State.CANCELLED}
    offers = [name for name in local_offers() if name not in taken]
    return Shelf(lines, list(coming), offers, str(settings.OTTO_LOCAL_MODELS_DIR))
