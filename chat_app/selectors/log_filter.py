"""Which log entries a curator is looking at: the state of the list, as in its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Self
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.utils import timezone

from chat_app.models import LogEntry
from otto_web.lib.uuids import as_uuid

RATINGS = {"up": "good answers", "down": "bad answers", "none": "not rated"}
VALUES = {"up": 1, "down": -1, "none": None}
PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Filter and place of the list; `after` is the time and the message of the row before."""

    rating: str = ""
    deployment: str = ""
    model: str = ""
    since: date | None = None
    until: date | None = None
    is_unused: bool = False
    is_corrected: bool = False
    after: tuple[datetime, UUID] | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Self:
        """Return the filter that an address names; what it does not understand is left out."""
        rating = query.get("rating", "")
        return cls(
            rating=rating if rating in RATINGS else "",
            deployment=query.get("deployment", "")[:60].replace("\0", ""),
            model=str(as_uuid(query.get("model", "")) or ""),
            since=_day(query.get("since", "")),
            until=_day(query.get("until", "")),
            is_unused=query.get("unused", "") == "1",
            is_corrected=query.get("corrected", "") == "1",
            after=_place(query.get("after", "")),
        )

    @property
    def narrows(self) -> bool:
        return replace(self, after=None) != LogFilter()

    def query(self, **changes: Any) -> str:
        """Return the address' query for this filter with some parts changed."""
        other = replace(self, **{"after": None, **changes})
        parts = {
            "rating": other.rating,
            "deployment": other.deployment,
            "model": other.model,
            "since": other.since.isoformat() if other.since else "",
            "until": other.until.isoformat() if other.until else "",
            "unused": "1" if other.is_unused else "",
            "corrected": "1" if other.is_corrected else "",
            "after": f"{other.after[0].isoformat()}_{other.after[1]}" if other.after else "",
        }
        return urlencode({name: value for name, value in parts.items() if value})

    def entries(self, user: User) -> QuerySet[LogEntry]:
        """Return the entries that match, newest first."""
        found: QuerySet[LogEntry] = LogEntry.objects.visible_to(user).order_by("-at", "-message_id")
        exact = {"deployment_id": self.deployment, "model_id": self.model}
        found = found.filter(**{name: value for name, value in exact.items() if value})
        if self.since:
            found = found.filter(at__gte=_midnight(self.since))
        if self.until:
            found = found.filter(at__lt=_midnight(self.until + timedelta(days=1)))
        if self.is_unused:
            found = found.unused()  # type: ignore[attr-defined]
        if self.is_corrected:
            found = found.filter(message__corrections__isnull=False).distinct()
        return self._rated(found)

    def _rated(self, found: QuerySet[LogEntry]) -> QuerySet[LogEntry]:
        if not self.rating:
            return found
        rated: Any = found.with_rating()  # type: ignore[attr-defined]
        newest: QuerySet[LogEntry] = rated.filter(rated=VALUES[self.rating])
        return newest

    def page(self, user: User) -> QuerySet[LogEntry]:
        """Return one row more than a page holds, from the place onwards."""
        found = self.entries(user)
        if self.after:
            at, message = self.after
            found = found.filter(Q(at__lt=at) | Q(at=at, message_id__lt=message))
        return found[: PAGE_SIZE + 1]


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1970 <= day.year <= 9000 else None


def _place(text: str) -> tuple[datetime, UUID] | None:
    at, _, message = text.partition("_")
    number = as_uuid(message)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    if number is None or moment.tzinfo is None or not 1970 <= moment.year <= 9000:
        return None
    return moment, number
