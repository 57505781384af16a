"""Which role each speaker has: by known words, by what a person said, or by who is left."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from datasets_app.corpus.conversation import ASSISTANT, SYSTEM, USER, Turn
from datasets_app.corpus.parsing.greetings import offers_help, told_roles
from datasets_app.corpus.parsing.said import Said
from datasets_app.corpus.roles import KNOWN, TOOL, canonical, role_of, settle_roles

OTHERS = "*"  # all whom a person did not name
LEFT_OUT = "out"
NUMBER = re.compile(r"(?:\d{1,2}|[a-c])\Z")

Roles = Mapping[str, str]


def cast(said: Sequence[Said], chosen: Roles, notes: list[str]) -> tuple[Turn, ...]:
    """Return the turns; a speaker of unknown role keeps the name as the role.

    `chosen` holds what a person said: roles by canonical names, OTHERS among them.
    """
    if not any(one.speaker or one.role for one in said):
        return _in_turn(said, notes)
    is_lettered = any(canonical(one.speaker) == "b" for one in said)  # so "a" is no answer
    roles = settle_roles([_role(one, chosen, is_lettered=is_lettered) for one in said])
    guessed = _left(said, roles, notes)
    turns: list[Turn] = []
    for one, role in zip(said, roles, strict=True):
        part = guessed.get(role, role)
        if part in {TOOL, LEFT_OUT}:
            notes.append("a result of a tool was left out" if part == TOOL else LEFT_OUT_NOTE)
            continue
        turn = Turn(part, one.text, one.is_learnt or part != ASSISTANT)
        is_name = not one.role and role_of(one.speaker) not in KNOWN
        if is_name or not one.is_arranged:
            add_piece(turns, turn)
        else:
            turns.append(turn)
    return tuple(turns)


def add_piece(turns: list[Turn], turn: Turn) -> None:
    """Add what was sent: it goes on with the last turn where that is of the same role.

    So people write, several messages for one turn, while roles alternate in what is learnt.
    """
    last = turns[-1] if turns else None
    if last and last.role == turn.role != SYSTEM and last.is_learnt == turn.is_learnt:
        turns[-1] = replace(last, text=f"{last.text}\n{turn.text}")
    else:
        turns.append(turn)


LEFT_OUT_NOTE = "turns of a speaker were left out, as chosen"


def _role(one: Said, chosen: Roles, *, is_lettered: bool) -> str:
    """Return the role, or the name of whoever has none yet."""
    name = canonical(one.speaker)
    if name in chosen:
        return chosen[name]
    if is_lettered and len(name) == 1:
        return chosen.get(OTHERS, one.speaker)
    known = one.role or role_of(one.speaker)
    return known if known in KNOWN else chosen.get(OTHERS, one.speaker)


def _in_turn(said: Sequence[Said], notes: list[str]) -> tuple[Turn, ...]:
    first = ASSISTANT if said and offers_help(said[0].text) else USER
    other = USER if first == ASSISTANT else ASSISTANT
    notes.append(f"nobody is named: the first one was read as the {first}, then they take turns")
    return tuple(Turn(other if number % 2 else first, one.text) for number, one in enumerate(said))


def _left(said: Sequence[Said], roles: Sequence[str], notes: list[str]) -> dict[str, str]:
    """Return the roles of those that only one role is left for."""
    known = {role for role in roles if role in {USER, ASSISTANT}}
    names = [role for role in dict.fromkeys(roles) if role not in {*KNOWN, LEFT_OUT}]
    if known == {ASSISTANT}:
        found = dict.fromkeys(names, USER)
    elif known == {USER} and len(names) == 1:
        found = {names[0]: ASSISTANT}
    elif not known and len(names) == 2 and _are_numbered(names):
        # A number says nothing of who asks: what is said does, or a person.
        found = told_roles((role, one.text) for one, role in zip(said, roles, strict=True))
    else:
        return {}
    notes.extend(f"{name} was read as the {role}; please check" for name, role in found.items())
    return found


def _are_numbered(names: Sequence[str]) -> bool:
    """Say whether nothing but a number or letter tells them apart, as agent_1 and agent_2."""
    plain = [canonical(name) for name in names]
    stems = {NUMBER.sub("", name).rstrip(" _#-") for name in plain}
    return len(stems) == 1 and all(map(NUMBER.search, plain))
