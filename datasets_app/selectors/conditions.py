"""Conditions about rows: a field, how it is compared, and with what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.contrib.auth.models import User
from django.db.models import Q, Value
from django.db.models.functions import Concat

from datasets_app.corpus.language import NAMES as LANGUAGES
from datasets_app.corpus.rules.registry import RULES
from datasets_app.corpus.split import SPLITS
from datasets_app.corpus.tags import LONGEST_TAG, NOTHING
from datasets_app.models import ClusterKind, Dataset, Origin, RowTag, SourceFile, Status
from datasets_app.selectors.pieces import holds_piece
from datasets_app.selectors.repeating import ANY, repeats
from datasets_app.selectors.tags import has_tag

LONGEST_VALUE = 100
LARGEST = 2**31 - 1
LONGEST_CODE = 3  # of a language
IS, NOT = "is", "not"
HOLDS, LACKS = "holds", "lacks"
LEAST, MOST = "least", "most"
ON, SINCE, UNTIL = "on", "since", "until"
OPERATORS = {
    IS: "is",
    NOT: "is not",
    HOLDS: "contains",
    LACKS: "does not contain",
    LEAST: "is at least",
    MOST: "is at most",
    ON: "is on",
    SINCE: "is on or after",
    UNTIL: "is on or before",
}
NEGATED = {NOT: IS, LACKS: HOLDS}
SAY_NOT = {"tag"}  # fields whose rows are found otherwise where they must not have a value
CHOICE, WORD, TEXT, FIGURE, DAY = "choice", "word", "text", "figure", "day"
COMPARED = {
    CHOICE: (IS, NOT),
    WORD: (IS, NOT),
    TEXT: (HOLDS, LACKS),
    FIGURE: (LEAST, MOST, IS, NOT),
    DAY: (SINCE, UNTIL, ON),
}


@dataclass(frozen=True, slots=True)
class Field:
    """What of a row is compared: one of `choices`, a word that people chose, text, figure, day."""

    name: str
    words: str
    kind: str
    rows: Callable[[Dataset, str, str], Q]  # by the operator and the value
    choices: Mapping[str, str] | None = None

    def read(self, written: str) -> str | None:
        """Return the value that is meant, None where it is none of this field's."""
        value = " ".join(written.split())[:LONGEST_VALUE]
        return READERS[self.kind](self, value) if value else None

    def label(self, value: str) -> str:
        """Return the value as a sentence has it."""
        if self.choices is not None:
            return self.choices.get(value, value)
        if value == NOTHING and self.kind != TEXT:
            return "none"
        return f"“{value}”" if self.kind in {WORD, TEXT} else value


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition about a row; field, operator and value are understood."""

    field: str
    operator: str
    value: str

    @property
    def words(self) -> str:
        field = FIELDS[self.field]
        return f"{field.words} {OPERATORS[self.operator]} {field.label(self.value)}"

    def rows(self, dataset: Dataset) -> Q:
        """Return the condition for the dataset's rows."""
        field = FIELDS[self.field]
        if self.operator not in NEGATED or self.field in SAY_NOT:
            return field.rows(dataset, self.operator, self.value)
        return ~field.rows(dataset, NEGATED[self.operator], self.value)


def condition(field: str, operator: str, written: str) -> Condition | None:
    """Return the condition that is meant, None where a part of it is not understood."""
    known = FIELDS.get(field)
    if known is None or operator not in COMPARED[known.kind]:
        return None
    value = known.read(written)
    return None if value is None else Condition(field, operator, value)


# What a value may be ----------------------------------------------------------------------------
def _choice(field: Field, value: str) -> str | None:
    wanted = value.casefold().replace("_", " ")
    for name, label in (field.choices or {}).items():
        if wanted in {name.casefold().replace("_", " "), label.casefold()}:
            return name
    is_code = field.name == "language" and len(value) <= LONGEST_CODE and value.isalpha()
    return value.lower() if is_code else None


def _word(_: Field, value: str) -> str | None:
    return value.casefold()[:LONGEST_VALUE]


def _text(_: Field, value: str) -> str | None:
    return value


def _figure(_: Field, value: str) -> str | None:
    is_number = value.isascii() and value.isdecimal() and len(value) <= len(str(LARGEST))
    return str(min(int(value), LARGEST)) if is_number else None


def _day(_: Field, value: str) -> str | None:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        return None


READERS: dict[str, Callable[[Field, str], str | None]] = {
    CHOICE: _choice,
    WORD: _word,
    TEXT: _text,
    FIGURE: _figure,
    DAY: _day,
}


# Which rows are meant ---------------------------------------------------------------------------
def _equal(column: str, empty: str | None = None) -> Callable[[Dataset, str, str], Q]:
    return lambda _, __, value: Q(**{column: empty if value == NOTHING else value})


def _compared(column: str) -> Callable[[Dataset, str, str], Q]:
    ends = {IS: "", LEAST: "__gte", MOST: "__lte"}
    return lambda _, operator, value: Q(**{f"{column}{ends[operator]}": int(value)})


def _person(column: str) -> Callable[[Dataset, str, str], Q]:
    """Return the condition that a column names this person, by account or by whole name."""

    def rows(_: Dataset, __: str, value: str) -> Q:
        if value == NOTHING:
            return Q(**{column: None})
        people = User.objects.annotate(whole=Concat("first_name", Value(" "), "last_name"))
        named = people.filter(Q(username__iexact=value) | Q(whole__iexact=value))
        return Q(**{f"{column}__in": named.values("pk")})

    return rows


def _file(dataset: Dataset, _: str, value: str) -> Q:
    if value == NOTHING:
        return Q(source_file=None)
    files = SourceFile.objects.filter(upload__dataset=dataset, name__icontains=value)
    return Q(source_file__in=files.values("pk"))


def _tagged(dataset: Dataset, operator: str, value: str) -> Q:
    """Return the condition to have a tag; who has it not is found by looking through all rows."""
    if operator == IS:
        return Q(has_tag(dataset, (value[:LONGEST_TAG],)))
    mine = RowTag.objects.filter(tag__dataset=dataset)
    if value != NOTHING:
        return ~Q(pk__in=mine.filter(tag__name=value[:LONGEST_TAG]).values("conversation"))
    return Q(pk__in=mine.values("conversation"))


def _changed(_: Dataset, operator: str, value: str) -> Q:
    day = date.fromisoformat(value)
    return {
        ON: Q(updated_at__gte=_midnight(day), updated_at__lt=_midnight(day, 1)),
        SINCE: Q(updated_at__gte=_midnight(day)),
        UNTIL: Q(updated_at__lt=_midnight(day, 1)),
    }[operator]


def _midnight(day: date, later: int = 0) -> datetime:
    """Return when a day begins in UTC: what a team shares means the same rows to everybody."""
    day = min(day, date.max - timedelta(days=2)) + timedelta(days=later)
    return datetime.combine(day, time.min, tzinfo=UTC)


FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field(
            "status",
            "status",
            CHOICE,
            _equal("status"),
            {value: str(label).lower() for value, label in Status.choices},
        ),
        Field("quality", "quality", FIGURE, _compared("quality")),
        Field("words", "words", FIGURE, _compared("n_words")),
        Field("turns", "turns", FIGURE, _compared("n_turns")),
        Field(
            "finding",
            "finding",
            CHOICE,
            lambda _, __, value: (
                Q(reasons=[]) if value == NOTHING else Q(reasons__contains=[value])
            ),
            {name: rule.label for name, rule in RULES.items()} | {NOTHING: "none"},
        ),
        Field(
            "language",
            "language",
            CHOICE,
            _equal("language", ""),
            LANGUAGES | {NOTHING: "unknown"},
        ),
        Field("source", "source file", TEXT, _file),
        Field("tag", "tag", WORD, _tagged),
        Field(
            "side",
            "side",
            CHOICE,
            _equal("split"),
            {name: name for name in SPLITS} | {NOTHING: "none yet"},
        ),
        Field(
            "repeats",
            "repeats",
            CHOICE,
            lambda dataset, _, value: repeats(dataset, (value,)),
            {ANY: "anything undecided"}
            | {value: str(label).lower() for value, label in ClusterKind.choices},
        ),
        Field(
            "origin",
            "origin",
            CHOICE,
            _equal("origin"),
            {value: str(label).lower() for value, label in Origin.choices},
        ),
        Field(
            "edited",
            "edited",
            CHOICE,
            lambda _, __, value: Q(revision__gt=1) if value == "yes" else Q(revision=1),
            {"yes": "yes", "no": "no"},
        ),
        Field("by", "changed by", WORD, _person("updated_by")),
        Field("decided", "decided by", WORD, _person("decided_by")),
        Field("changed", "last change", DAY, _changed),
        Field("text", "text", TEXT, lambda _, __, value: holds_piece(value)),
    )
}


def every(conditions: Iterable[Condition], dataset: Dataset) -> Q:
    """Return the condition that all of these hold."""
    found = Q()
    for one in conditions:
        found &= one.rows(dataset)
    return found
