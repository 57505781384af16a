"""How somebody who answers opens a talk, in several languages."""

from __future__ import annotations

import re
from collections.abc import Iterable

from datasets_app.corpus.conversation import ASSISTANT, USER

OPENING = 6  # turns in which somebody may offer help; chosen by hand
_OFFERS = re.compile(
    r"how (?:can|may|could) (?:i|we) (?:help|assist)|thank(?:s| you) for (?:calling|contacting)"
    r"|what can (?:i|we) (?:do|help)|you(?:'|’)ve reached|happy to (?:help|assist) you today"
    r"|i(?:'|’)d be happy to (?:help|assist)|how (?:can|may) i be of (?:help|assistance|service)"
    r"|wie (?:kann|darf) ich (?:ihnen |dir )?(?:weiter)?helfen|was kann ich für (?:sie|dich) tun"
    r"|(?:comment|en quoi) (?:puis-je|puis je|peut-on) vous aider"
    r"|en qué (?:le |te |les )?(?:puedo|podemos) ayudar|come posso aiutar"
    r"|(?:em que|como) posso (?:ajud|te ajud)|(?:waarmee|hoe) kan ik (?:u |je )?(?:van dienst|help)"
    r"|w czym mogę pomóc|чем (?:я )?могу (?:вам )?помочь|size nasıl yardımcı"
    r"|有什么可以帮|请问有什么|ご用件|무엇을 도와",
    re.IGNORECASE,
)
_PRESENTS = re.compile(
    r"\b(?:my name is|this is|welcome to|mein name ist|willkommen bei|am apparat)\b"
    r"|\bspeaking\W*\Z|\b(?:at your service|on the line)\b",
    re.IGNORECASE,
)

# Asking for something in several languages.
_PLEASE = re.compile(
    r"\b(?:please|pls|could you|can you|would you|let (?:me|us) know|send (?:me|us)|bitte|por favor"
    r"|s(?:'|’)il (?:vous|te) pla[iî]t|merci de|per favore|per cortesia|alstublieft|graag|prosz[ęe]"
    r"|prosím|пожалуйста|будь ласка|lütfen|kérjük|kérem|vă rog|var vänlig|vänligen|vær så|venligst"
    r"|silakan|mohon|tolong|vui lòng|παρακαλ)|请|請|ください|下さい|お願い|주세요|부탁|कृपया"
    r"|من فضلك|يرجى|الرجاء|בבקשה|لطفا|โปรด|กรุณา",
    re.IGNORECASE,
)
_ASKING = ("?", "\uff1f", "\u061f")
_OF_OTHER = re.compile(
    r"\b(?:your|who|ihre?[nmrs]?|deine?[nmrs]?|votre|vos|usted|sua)\b", re.IGNORECASE
)


def asks(text: str) -> bool:
    """Say whether words end with a question."""
    return text.rstrip(" \t\n\"'”»)!*").endswith(_ASKING)


def asks_for(text: str) -> bool:
    """Say whether words ask for an answer: with a question, or with a please."""
    return asks(text) or bool(_PLEASE.search(text))


def offers_help(text: str) -> bool:
    """Say whether only somebody who answers says this."""
    return bool(_OFFERS.search(text))


def presents(text: str) -> bool:
    """Say whether somebody who answers may well say this: a desk that gives its name."""
    return offers_help(text) or bool(_PRESENTS.search(text))


def offered_roles(said: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the roles of two names, of which just one offers help in the beginning; {} else."""
    told = list(said)
    names = list(dict.fromkeys(name for name, _ in told))
    helpers = {name for name, text in told[:OPENING] if offers_help(text)}
    if len(names) != 2 or len(helpers) != 1:
        return {}
    return {name: ASSISTANT if name in helpers else USER for name in names}


def told_roles(said: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the roles of two names by what they say; {} where that is not certain.

    One of them offers help; or the first one only asks, and nothing of the other's own, while
    the other never does.
    """
    told = list(said)
    names = list(dict.fromkeys(name for name, _ in told))
    if len(names) == 2 and _only_first_asks(told, names[0]):
        return {names[0]: USER, names[1]: ASSISTANT}
    return offered_roles(told)


def _only_first_asks(told: list[tuple[str, str]], first: str) -> bool:
    return not any(offers_help(text) for _, text in told[:OPENING]) and all(
        asks(text) == (name == first) and not (name == first and _OF_OTHER.search(text))
        for name, text in told
    )
