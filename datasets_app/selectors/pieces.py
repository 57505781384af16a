"""A piece of text that a row holds: as it was typed, in any case, accents as one sign or as two."""

from __future__ import annotations

import re
import unicodedata
from functools import reduce
from operator import or_

from django.db.models import Q, TextField, Value
from django.db.models.functions import Concat
from django.db.models.lookups import IContains

INDEXED = re.compile(r"[^\W_]{3}")  # what the index knows of: three letters or digits in a row


def holds_piece(piece: str) -> Q:
    """Return the condition that a row holds the piece, in any case, as typed otherwise."""
    return reduce(or_, map(_holds_one, forms_of(piece)))


def _holds_one(form: str) -> Q:
    """Return the condition for one piece; the index would name every row for one that it lacks."""
    if INDEXED.search(form):
        return Q(text__icontains=form)
    return Q(IContains(Concat("text", Value(""), output_field=TextField()), form))


def forms_of(piece: str) -> list[str]:
    """Return the piece with its accents as one sign and as two: files write both."""
    forms = (piece, unicodedata.normalize("NFC", piece), unicodedata.normalize("NFD", piece))
    return list(dict.fromkeys(forms))
