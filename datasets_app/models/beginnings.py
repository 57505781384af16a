"""What a conversation begins with, as the database cuts it: shown in tables, and sorted by."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Func, TextField, Value
from django.db.models.functions import Coalesce, Left, Lower

from datasets_app.corpus.conversation import ASSISTANT, PASSAGE, USER

PREVIEW_CHARACTERS = 240
SORTED_CHARACTERS = 60


def _beginning(*roles: str, place: str = "*") -> Func:
    """Return the beginning of the first turn of these roles, cut by the database."""
    which = " || ".join(f'@.role == "{role}"' for role in roles)
    first = f"jsonb_path_query_first(%(expressions)s, '$[{place}] ? ({which})') ->> 'text'"
    cut = f"left({first}, {PREVIEW_CHARACTERS})"
    return Func(F("turns"), template=cut, output_field=TextField())


FIRST_QUESTION = _beginning(USER)
# Who picks up the phone greets first: the answer is the one after the question, if there is one.
FIRST_ANSWER = Coalesce(
    _beginning(ASSISTANT, place="1 to last"),
    _beginning(ASSISTANT, PASSAGE),
    output_field=TextField(),
)


def _alphabetical(text: Any) -> Lower:
    return Lower(Left(Coalesce(text, Value(""), output_field=TextField()), SORTED_CHARACTERS))


BY_QUESTION = _alphabetical(FIRST_QUESTION)
BY_ANSWER = _alphabetical(FIRST_ANSWER)
"""What an index has to say, too, letter by letter, to be used."""
