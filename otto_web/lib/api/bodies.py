"""What many endpoints share: pages of lists, and how bodies become JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from django.core.paginator import Paginator
from django.db.models import Choices, QuerySet

Body = TypeVar("Body")
PageNumber = Annotated[int, msgspec.Meta(ge=1, le=1_000_000, description="counted from 1")]
PerPage = Annotated[int, msgspec.Meta(ge=1, le=200, description="items on a page")]


class Query(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What stands behind the question mark of an address; anything else there is refused."""


class Input(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A body that is sent; fields that nobody knows are refused."""


class Paged(Query, frozen=True):
    """Which part of a list is wanted."""

    page: PageNumber = 1
    per_page: PerPage = 30


class Listed(msgspec.Struct, Generic[Body]):
    """One page of a list."""

    items: list[Body]
    total: int
    page: int
    pages: int
    per_page: int


def choice_schema(kind: type) -> dict[str, object]:
    """Return the schema of one of Django's choices."""
    if issubclass(kind, Choices):
        return {"type": "string", "enum": kind.values}
    raise NotImplementedError(kind)


def listed(rows: QuerySet[Any], asked: Paged, body_of: Callable[[Any], Body]) -> Listed[Body]:
    """Return the page that was asked for; one behind the last has no items."""
    pages = Paginator(rows, asked.per_page)
    shown: Iterable[Any] = pages.page(asked.page) if asked.page <= pages.num_pages else ()
    items = [body_of(row) for row in shown]
    return Listed(items, pages.count, asked.page, pages.num_pages, asked.per_page)
