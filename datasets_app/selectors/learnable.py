"""What of a row a model can learn, asked in the database: freezing reads a million rows."""

from __future__ import annotations

from django.db.models import BooleanField, F, Func, Q

from datasets_app.corpus.conversation import ASSISTANT, PASSAGE, SYSTEM, USER


def _holds(path: str) -> Func:
    """Return whether the turns hold something that this JSON path finds."""
    template = f"(%(expressions)s @? '{path}')"
    return Func(F("turns"), template=template, output_field=BooleanField())


_LEARNT = f'@.role == "{ASSISTANT}" && !(exists (@.weight))'
_ANSWERED = f'$[*] ? ({_LEARNT} && @.text like_regex "\\\\S")'
_STRANGER = f'$[*] ? (@.role != "{USER}" && @.role != "{ASSISTANT}" && @.role != "{SYSTEM}")'
_SAID_LAST = f'$[last] ? (@.role == "{USER}")'
_WRITTEN = f'$[*] ? (@.role == "{PASSAGE}" && @.text like_regex "\\\\S")'

# Somebody answers and every role is known; or it is a piece of text.
CAN_BE_LEARNT = Q(_holds(_ANSWERED), ~Q(_holds(_STRANGER))) | Q(_holds(_WRITTEN), is_passage=True)
ENDS_WITH_USER = Q(_holds(_SAID_LAST))
