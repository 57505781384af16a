"""Lists in which somebody speaks, whatever their maker calls the keys, put in the plain shape.

A list of objects with words is a talk where something in each tells who speaks: a way (`incoming`),
a word for a role under any key, a number from a list of people beside it, or a name that comes
again. Its objects become messages with `role` or `speaker`, `content` and what else is told of a
message. Lists that the other shapes know stay as they are, and so does whatever stands beside them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from datasets_app.corpus.conversation import ASSISTANT, SYSTEM, USER
from datasets_app.corpus.parsing import own
from datasets_app.corpus.parsing.exports import is_notice, is_slack
from datasets_app.corpus.parsing.helpdesks import is_post
from datasets_app.corpus.parsing.messages import LISTS, message_keys, squashed
from datasets_app.corpus.parsing.reviewed import MARKS
from datasets_app.corpus.parsing.said import (
    MARKED,
    NOTE_KINDS,
    TIMES,
    keys_of,
    speaker_in,
)
from datasets_app.corpus.parsing.tables import ANSWERS, plain
from datasets_app.corpus.roles import KNOWN, TOOL, role_of

# All chosen by hand.
DEEPEST = 5  # levels of lists and objects that are looked into
LOOKED_AT = 40  # messages by which a list is judged
LONGEST_WORD = 40  # signs of a word for a role
LEAST_WORDS = 1.5  # in a message on average: less are the single words of a recording
WORDS = (
    *("decoratedtext", "bodytext", "textbody", "plaintext", "plainbody", "displaytext", "text"),
    *("content", "message", "body", "transcript", "utterance", "msg", "messagetext", "messagebody"),
    *("speech", "sentence", "value", "comment", "note"),
)
OF_CUSTOMER = frozenset(
    """incoming isincoming inbound isinbound fromcustomer isfromcustomer iscustomer fromuser
    isfromuser isuser isvisitor fromvisitor iscustomermessage fromclient""".split()
)
OF_DESK = frozenset(
    """outgoing isoutgoing outbound isoutbound fromagent isfromagent isagent byagent isbot frombot
    isfrombot isstaff isassistant isai isoperator""".split()
)
SURE_FLAGS = frozenset("incoming isincoming inbound isinbound outgoing isoutgoing outbound".split())
WAYS = {
    **dict.fromkeys(("incoming", "inbound", "in", "external", "received", "contact"), USER),
    **dict.fromkeys(("outgoing", "outbound", "out", "internal", "sent"), ASSISTANT),
}
WAY_KEYS = re.compile(r"direction|purpose|way\Z")
NOT_OF_WAYS = frozenset({"comment", "note", "value"})  # goods and money come in and go out, too
OF_GOODS = re.compile(r"amount|quantity|\Asku|balance|iban|betrag|menge")
OF_READERS = re.compile("audience|scope|status|visib|categor|topic|access")
"""Parts of keys that say for whom or in which state something is, and not who wrote it."""
STEMS = tuple(
    map(
        re.compile,
        (
            *("speaker", "participant", "author", "sender", "creator", "createdby", "writtenby"),
            *("postedby", "commenter", "actor", "talker", "userid", "username", "nickname"),
            *("usertype", r"\Auser\Z", "agent(?:id|name)", "party", "handle", "channel(?:id|tag)?"),
        ),
    )
)
SPEAKING = re.compile(
    "speaker|participant|sender|creator|direction|actor|incoming|inbound|outgoing|outbound"
)
PEOPLE = frozenset(
    """participants users members speakers people agents parties actors authors contacts
    personas""".split()
)
PIECES = ("sentences", "parts", "lines", "paragraphs")
PERSON_KEYS = ("participantid", "userid", "speakerid", "id", "key", "label", "username", "name")
TALKS = re.compile(
    r"(?:conversation|conversations?thread|thread|session|ticket|chat|call|dialog|dialogue)s?id\Z"
)
OPENINGS = ("descriptiontext", "plaindescription", "description", "initialmessage", "question")
ASIDE = frozenset({"comment", "note", "internalcomment", "internalnote", "privatenote"})

People = Mapping[str, tuple[str, str]]  # names and roles by the numbers of an export
LISTED = frozenset(map(squashed, LISTS))


@lru_cache(2048)
def is_of_talk(keys: tuple[str, ...]) -> bool:
    """Say whether a key says that its object is what one person said."""
    return any(SPEAKING.search(squashed(key)) for key in keys)


@dataclass(frozen=True, slots=True)
class Known:
    """What the plain shapes make of an object: of which keys. It may be `weak`, as a text is."""

    keys: frozenset[str]
    is_weak: bool = False


Knows = Callable[[dict[str, Any]], Known | None]


def _knows_nothing(_: dict[str, Any]) -> Known | None:
    return None


def spoken(value: Any, people: People | None = None, knows: Knows = _knows_nothing) -> Any:
    """Return a value in which every list where somebody speaks has the plain shape.

    An object that holds just one such list, however deep, holds it under `messages`; one that
    `knows` says to be a conversation already keeps its own. `people` are those of the objects
    around it.
    """
    if isinstance(value, list):
        return _listed("", value, _Around(people or {}, knows, 0))
    if not isinstance(value, dict) or not MARKS.isdisjoint(value) or own.KEY in value:
        return value
    alone = _alone(value)
    return alone if alone is not None else _inside(value, _Around(people or {}, knows, 0))


@dataclass(frozen=True, slots=True)
class _Around:
    """Where an object or a list stands: between which people, and how deep."""

    people: People
    knows: Knows
    level: int

    def below(self, value: dict[str, Any]) -> _Around:
        return _Around({**self.people, **people_in(value)}, self.knows, self.level + 1)


def _inside(value: dict[str, Any], around: _Around) -> dict[str, Any]:
    """Return an object with its lists in the plain shape; one talk in it is lifted out."""
    if around.level > DEEPEST or not any(isinstance(held, dict | list) for held in value.values()):
        return value
    known, below = around.knows(value), around.below(value)
    found: list[list[dict[str, Any]]] = []
    told: dict[str, Any] = {}
    for key, held in value.items():
        told[key] = held
        if known and not known.is_weak and key not in known.keys:
            continue
        if isinstance(held, dict):
            told[key] = _inside(held, below)
            if told[key] is not held and _is_lifted(told[key]):
                found.append(told[key]["messages"])
        elif isinstance(held, list):
            told[key] = _listed(key, held, below)
            if told[key] is not held and told[key] and "content" in told[key][0]:
                found.append(told[key])
    if known and known.is_weak and found and not _is_told_by(found[0], value, known):
        return value
    if len(found) == 1:
        return _lifted(value, found[0])
    return told if any(told[key] is not value[key] for key in value) else value


def _is_told_by(talk: list[dict[str, Any]], value: dict[str, Any], known: Known) -> bool:
    """Say whether a talk says its roles, or a text beside it holds the same words."""
    first = str(talk[0].get("content"))
    return "role" in talk[0] or any(first in str(value.get(key)) for key in known.keys)


class _Lifted(dict[str, Any]):
    """An object whose talk stands under `messages`."""


def _is_lifted(value: dict[str, Any]) -> bool:
    return isinstance(value, _Lifted)


def _lifted(value: dict[str, Any], talk: list[dict[str, Any]]) -> dict[str, Any]:
    """Return an object with what it says of its talk, and the talk; other lists tell the same."""
    simple = {key: held for key, held in value.items() if not isinstance(held, dict | list)}
    names = {squashed(key): key for key in simple}
    opening = next((names[name] for name in OPENINGS if name in names), None)
    first = simple.get(opening) if opening else None
    is_told = any(one.get("content") == first for one in talk[:2])
    if isinstance(first, str) and first.strip() and not is_told and "role" in talk[0]:
        del simple[str(opening)]
        talk = [{"role": USER, "content": first, "created_at": None}, *talk]
    kept = {key: held for key, held in simple.items() if squashed(key) not in {*WORDS, "messages"}}
    return _Lifted({**kept, "messages": talk})


def _listed(key: str, items: list[Any], around: _Around) -> list[Any]:
    """Return a list in the plain shape, or with the lists inside it in theirs."""
    if around.level > DEEPEST or not items or not isinstance(items[0], dict):
        return items
    talk = _talk(key, items, around.people)
    if talk is not None:
        return talk
    below = around.below({})
    inner = [_inside(one, below) if isinstance(one, dict) else one for one in items]
    return inner if any(a is not b for a, b in zip(inner, items, strict=True)) else items


def people_in(value: Any) -> dict[str, tuple[str, str]]:
    """Return who takes part, where a list beside the talk says it of its numbers."""
    found: dict[str, tuple[str, str]] = {}
    for key, held in value.items() if isinstance(value, dict) else ():
        if squashed(key) not in PEOPLE or not isinstance(held, list):
            continue
        for one in held:
            if not isinstance(one, dict):
                continue
            names = {squashed(name): told for name, told in one.items()}
            number = next((names[name] for name in PERSON_KEYS if name in names), None)
            roles = (_role(told) for told in one.values())
            role = next((one for one in roles if one in {USER, ASSISTANT}), "")
            if role and isinstance(number, str | int):
                found[str(number)] = (str(names.get("name") or number), role)
    return found


@dataclass(frozen=True, slots=True)
class _One:
    """An object of a list: itself, and the key of its words."""

    item: dict[str, Any]
    words: str | None

    @property
    def is_aside(self) -> bool:
        kinds = (value for key, value in self.item.items() if squashed(key) in _KINDS)
        return any(isinstance(kind, str) and squashed(kind) in ASIDE for kind in kinds)

    @property
    def is_of_app(self) -> bool:
        kind = self.item.get("type")
        return is_notice(self.item) or (isinstance(kind, str) and "system" in kind.casefold())


_KINDS = frozenset(map(squashed, NOTE_KINDS))


def _talk(key: str, items: list[Any], people: People) -> list[dict[str, Any]] | None:
    """Return the messages of a list, or None where nobody speaks or the plain shapes know it."""
    unpacked = [_unpacked(item) for item in items]
    if not all(isinstance(item, dict) for item in unpacked):
        return None
    ones = [_One(item, _words_key(item)) for item in unpacked]
    said = [one for one in ones if one.words][:LOOKED_AT]
    if not said or any(is_slack(one.item) or is_post(one.item) for one in said[:3]):
        return None
    words = [len(str(one.item[one.words or ""]).split()) for one in said]
    if len(said) > 1 and sum(words) < LEAST_WORDS * len(said) and squashed(key) not in LISTED:
        return None
    teller = _teller(key, said, people)
    if teller is None and unpacked[0] is not items[0] and len(said) > 1:
        plainest = keys_of(tuple(said[0].item))[0]
        teller = _by_person(plainest) if plainest else _nobody
    return [_message(one, teller) for one in _in_order(ones)] if teller else None


def _unpacked(item: Any) -> Any:
    """Return what an object holds that does nothing but name it, as {"note": {…}}.

    Where what somebody says stands in sentences of its own, they become one text.
    """
    if isinstance(item, dict) and len(item) == 1:
        inner = next(iter(item.values()))
        return inner if isinstance(inner, dict) else item
    key = next((key for key in PIECES if isinstance(item, dict) and key in item), None)
    names = map(squashed, item) if key else ()
    is_of_one = any(name == "role" or STEMS[0].search(name) for name in names)
    if key is None or not is_of_one or _words_key(item) or not isinstance(item[key], list):
        return item
    told = [one.get("text") if isinstance(one, dict) else one for one in item[key]]
    others = {name: held for name, held in item.items() if name != key}
    return {**others, "text": " ".join(text for text in told if isinstance(text, str))}


@lru_cache(2048)
def _words_keys(keys: tuple[str, ...]) -> tuple[str, ...]:
    names = {squashed(key): key for key in reversed(keys)}
    return tuple(names[name] for name in WORDS if name in names)


def _words_key(item: dict[str, Any]) -> str | None:
    found = (key for key in _words_keys(tuple(item)) if isinstance(item[key], str))
    return next((key for key in found if item[key].strip()), None)


Told = dict[str, Any]
Teller = Callable[[dict[str, Any]], Told]


def _nobody(_: dict[str, Any]) -> Told:
    return {}


def _teller(key: str, said: list[_One], people: People) -> Teller | None:
    """Return what tells who speaks in the objects of a list; None for what is no talk, or known."""
    items = [one.item for one in said if not one.is_aside and not one.is_of_app]
    if not items or _are_known(items) or any(map(_is_pair, items)) or all(map(_is_of_goods, items)):
        return None
    by_role = next((teller for teller in _ways(items, people) if all(map(teller, items))), None)
    if by_role:
        return by_role
    if all(all(keys_of(tuple(item))) for item in items) and not people:
        return None
    return _by_name(key, items)


def _is_pair(item: dict[str, Any]) -> bool:
    return any(plain(key) in ANSWERS for key in item)


def _is_of_goods(item: dict[str, Any]) -> bool:
    """Say whether an object is an entry of a bank or a move of goods."""
    return any(OF_GOODS.search(squashed(key)) for key in item)


def _are_known(items: list[dict[str, Any]]) -> bool:
    """Say whether the plain key of each object names a role already, and more than one."""
    found = set()
    for item in items:
        speaker, words = keys_of(tuple(item))
        if words is None:
            return False
        name, role = speaker_in(item[speaker]) if speaker else ("", "")
        found.add((role or role_of(name)) if speaker else "")
    return found <= KNOWN and len(found) > 1


def _ways(items: list[dict[str, Any]], people: People) -> Iterator[Teller]:
    """Yield what may tell the roles, the surest first."""
    keys = list(dict.fromkeys(key for item in items for key in item))
    yield from (_by_flag(key) for key in keys if _is_flag(key, items))
    if all(squashed(_words_key(item) or "note") not in NOT_OF_WAYS for item in items):
        yield from (_by_word(key, _role) for key in keys if WAY_KEYS.search(squashed(key)))
    yield from (_by_number(key, people) for key in keys if people)
    of_others = (OF_READERS, WAY_KEYS)
    named = [key for key in keys if not any(one.search(squashed(key)) for one in of_others)]
    yield from (_by_word(key) for key in named if _are_roles([item.get(key) for item in items]))
    yield from (_by_person(key) for key in keys if _say_roles([item.get(key) for item in items]))
    yield from (_by_kind(key) for key in keys if _are_kinds([item.get(key) for item in items]))


def _is_flag(key: str, items: list[dict[str, Any]]) -> bool:
    """Say whether a key says yes or no to “the customer wrote this”; no bot is just a person."""
    told = {_flag(item.get(key)) for item in items} - {None}
    name = squashed(key)
    return name in OF_CUSTOMER | OF_DESK and (len(told) == 2 or bool(told and name in SURE_FLAGS))


def _flag(value: Any) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.casefold())
    return value if isinstance(value, bool) else None


def _are_roles(values: list[Any]) -> bool:
    roles = {_named_role(value) for value in values}
    return roles <= KNOWN and {USER, ASSISTANT} <= roles


def _say_roles(values: list[Any]) -> bool:
    """Say whether people tell their roles themselves."""
    roles = {speaker_in(value)[1] if isinstance(value, dict) else "" for value in values}
    return roles <= KNOWN and {USER, ASSISTANT} <= roles


def _are_kinds(values: list[Any]) -> bool:
    kinds = set(map(_kind, values))
    return len(kinds) == 2 and "user" in kinds and kinds - {"user"} <= ASKERS


ASKERS = frozenset({"contact", "lead", "customer", "visitor", "client", "guest", "enduser"})
"""Beside one of these somebody of the kind “user” is a user of the desk, and answers."""


def _kind(value: Any) -> str:
    kind = value.get("type", value.get("kind")) if isinstance(value, dict) else None
    return squashed(kind) if isinstance(kind, str) else ""


def _by_kind(key: str) -> Teller:
    def told(item: dict[str, Any]) -> Told:
        return {"role": ASSISTANT if _kind(item.get(key)) == "user" else USER}

    return told


def _by_flag(key: str) -> Teller:
    is_customer = squashed(key) in OF_CUSTOMER

    def told(item: dict[str, Any]) -> Told:
        flag = _flag(item.get(key))
        return {} if flag is None else {"role": USER if flag == is_customer else ASSISTANT}

    return told


def _by_word(key: str, meant: Callable[[Any], str] | None = None) -> Teller:
    def told(item: dict[str, Any]) -> Told:
        role = (meant or _named_role)(item.get(key))
        return {"role": role} if role in {USER, ASSISTANT, SYSTEM, TOOL} else {}

    return told


def _by_number(key: str, people: People) -> Teller:
    def told(item: dict[str, Any]) -> Told:
        known = people.get(str(_plainly(item.get(key))))
        return {"role": known[1]} if known else {}

    return told


def _role(value: Any) -> str:
    """Return the role that a way means, or a word for a role."""
    named = _named_role(value)
    return WAYS.get(squashed(named)) or named


def _named_role(value: Any) -> str:
    return role_of(value) if isinstance(value, str) and len(value) <= LONGEST_WORD else ""


def _plainly(value: Any) -> Any:
    """Return a person in a list of one as the person."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _by_name(key: str, items: list[dict[str, Any]]) -> Teller | None:
    keys = list(dict.fromkeys(name for item in items for name in item))
    for stem in STEMS:
        for name in keys:
            if not stem.search(squashed(name)):
                continue
            people = [_person(item.get(name)) for item in items]
            distinct = {who for who in people if who}
            comes_again = squashed(key) in LISTED or len(distinct) < len(people)
            if all(people) and len(distinct) > 1 and comes_again:
                return _by_person(name)
    return None


def _person(value: Any) -> str:
    value = _plainly(value)
    if isinstance(value, dict):
        return "".join(speaker_in(value))
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _by_person(key: str) -> Teller:
    def told(item: dict[str, Any]) -> Told:
        who = _plainly(item.get(key))
        return {"speaker": who if isinstance(who, dict) else str(who)}

    return told


def _message(one: _One, teller: Teller) -> dict[str, Any]:
    """Return an object as a message; what nobody says is marked as the app’s own."""
    item = one.item
    others = {key: held for key, held in item.items() if key in MARKED}
    if one.is_aside:
        others["type"] = "note"
    if one.words is None or one.is_of_app:
        others["type"] = "event"
    elif isinstance(others.get("type"), str) and _named_role(others["type"]) in KNOWN:
        del others["type"]
    talk = message_keys(tuple(item)).conversation or next(
        (key for key in item if TALKS.search(squashed(key))), None
    )
    named = {"conversation_id": item[talk]} if talk else {}
    told = teller(item) or {"speaker": ""}
    if teller is _nobody:
        told = {}
    words = item[one.words] if one.words else None
    return {**others, **named, **told, "content": words, "created_at": _moment(item)}


@lru_cache(2048)
def _time_key(keys: tuple[str, ...]) -> str | None:
    names = {squashed(key): key for key in keys}
    wanted = (*map(squashed, TIMES), "starttimems", "starttime", "start", "beginoffsetmillis")
    return next((names[name] for name in wanted if name in names), None)


def _moment(item: dict[str, Any]) -> Any:
    key = _time_key(tuple(item))
    return item.get(key) if key else None


def _in_order(ones: list[_One]) -> list[_One]:
    """Return the objects by their times, where those that are said have times to be compared."""
    times = [_moment(one.item) for one in ones]
    said = [time for one, time in zip(ones, times, strict=True) if one.words and not one.is_aside]
    are_numbers = all(isinstance(time, int | float) for time in said)
    if not are_numbers and not all(isinstance(time, str) and _ISO.match(time) for time in said):
        return ones
    last: Any = said[0] if said else None
    known: list[Any] = []
    for time in times:
        is_comparable = isinstance(time, int | float) if are_numbers else isinstance(time, str)
        last = time if is_comparable else last
        known.append(last)
    return [ones[place] for place in sorted(range(len(ones)), key=lambda place: known[place])]


_ISO = re.compile(r"\d{4}-\d\d-\d\d")


def _alone(value: dict[str, Any]) -> dict[str, Any] | None:
    """Return one message that names its conversation by a key of its maker's own, plainly."""
    talk = next((key for key in value if TALKS.search(squashed(key))), None)
    keys = message_keys(tuple(value))
    if talk is None or (keys.speaker and keys.words and keys.conversation == talk):
        return None
    one = _One(value, _words_key(value))
    if one.words is None:
        return None
    told = next((told for way in _ways([value], {}) if (told := way(value))), None)
    if told is None and one.is_aside:
        told = {"role": ASSISTANT}
    if told is None:
        return None
    return _message(one, lambda _: told or {})
