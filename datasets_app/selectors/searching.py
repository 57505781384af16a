"""What the search box means: pieces of text that a row must hold, as they were typed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import reduce
from operator import or_

from django.db.models import Q, TextField, Value
from django.db.models.functions import Concat
from django.db.models.lookups import IContains

TERM = re.compile(r'"([^"]+)"|(\S+)')
INDEXED = re.compile(r"[^\W_]{3}")  # what the index knows of: three letters or digits in a row


def terms_of(search: str) -> list[str]:
    """Return the pieces that a row must hold, each of them; a phrase in quotes is one piece."""
    found = (phrase or word for phrase, word in TERM.findall(search))
    return list(dict.fromkeys(found))


def holds(search: str) -> Q:
    """Return the condition that a row holds every piece, in any case, as typed otherwise."""
    every = Q()
    for term in terms_of(search):
        every &= reduce(or_, map(_holds_one, _forms(term)))
    return every


def _holds_one(form: str) -> Q:
    """Return the condition for one piece; the index would name every row for one that it lacks."""
    if INDEXED.search(form):
        return Q(text__icontains=form)
    return Q(IContains(Concat("text", Value(""), output_field=TextField()), form))


def is_slow(search: str) -> bool:
    """Tell whether no piece has what the index knows of, so that every row is read."""
    terms = terms_of(search)
    return bool(terms) and not any(map(INDEXED.search, terms))


def hits_in(text: str, search: str) -> list[tuple[int, int]]:
    """Return where the pieces stand in the text, in order; places may overlap."""
    forms = [form for term in terms_of(search) for form in _forms(term)]
    if not forms:
        return []
    return sorted(span for form in forms for span in _places(text, form))


def _places(text: str, form: str) -> Iterator[tuple[int, int]]:
    return (found.span() for found in re.finditer(re.escape(form), text, re.IGNORECASE))


def _forms(term: str) -> list[str]:
    """Return the piece with its accents as one sign and as two: files write both."""
    forms = (term, unicodedata.normalize("NFC", term), unicodedata.normalize("NFD", term))
    return list(dict.fromkeys(forms))
