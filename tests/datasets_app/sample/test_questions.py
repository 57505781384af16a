from __future__ import annotations

import random
import re
from functools import cache

import pytest

from datasets_app.corpus.conversation import USER
from datasets_app.sample.conversations import generate
from datasets_app.sample.questions import (
    changed_questions,
    multi_turn_questions,
    off_topic_questions,
    validation_questions,
)
from datasets_app.sample.second_shop import CHANGES, SHOPS
from datasets_app.sample.talk import INTENTS, facts, named_in, product_facts, spin

STRICT = [*validation_questions(), *multi_turn_questions(), *changed_questions()]
ALL = [*STRICT, *off_topic_questions()]


def words(text: str) -> tuple[str, ...]:
    return tuple("".join(c if c.isalnum() else " " for c in text.lower()).split())


@cache
def asked_in_sample():
    talks = [sample.conversation for shop in SHOPS for sample in generate(shop=shop)]
    asked = {words(turn.text) for talk in talks for turn in talk.turns if turn.role == USER}
    return asked, {text[at : at + 6] for text in asked for at in range(len(text) - 5)}


@cache
def said_in_sample(shop):
    talks = [sample.conversation for sample in generate(shop=shop) if sample.planted is None]
    return "\n".join(
        turn.text.lower() for talk in talks for turn in talk.turns if turn.role != USER
    )


def holds(text: str, term: str) -> bool:
    return any(
        re.search(rf"(?<!\w){re.escape(one)}s?(?!\w)", text, re.IGNORECASE)
        for one in term.split("|")
    )


def test_there_are_enough_of_each_kind():
    assert len(validation_questions()) == 73
    assert {one.intent for one in validation_questions()} == {intent.name for intent in INTENTS}
    assert len(off_topic_questions()) == 40
    assert len(multi_turn_questions()) == 30
    assert len(changed_questions()) >= sum(map(len, CHANGES.values())) - 1
    assert len({one.turns for one in ALL}) == len(ALL)


@pytest.mark.slow
def test_their_wordings_stand_nowhere_in_the_sample():
    asked, sixes = asked_in_sample()
    for one in ALL:
        for turn in one.turns:
            own = words(turn.text)
            if turn.role == USER:
                assert own not in asked, turn.text
                assert not any(own[at : at + 6] in sixes for at in range(len(own) - 5)), turn.text


@pytest.mark.parametrize("one", STRICT, ids=lambda one: one.question)
def test_the_real_answer_holds_what_it_must_and_nothing_that_it_must_not(one):
    assert [term for term in one.must if not holds(one.answer, term)] == []
    assert [term for term in one.must_not if holds(one.answer, term)] == []


@pytest.mark.slow
def test_what_must_be_there_is_said_in_the_sample():
    for one in STRICT:
        said = said_in_sample(SHOPS[one.kind == "changed"])
        for term in one.must:
            assert term.startswith("JP-") or any(part.lower() in said for part in term.split("|"))


@pytest.mark.slow
def test_every_changed_fact_is_asked_for_and_its_old_value_forbidden():
    first, second = (
        {
            getattr(thing, "name", None) or thing.city: thing
            for thing in (*shop[0], *shop[1], *shop[2])
        }
        for shop in ((shop.products, shop.stores, shop.countries) for shop in SHOPS)
    )
    for name, changes in CHANGES.items():
        for field in changes:
            new, old = (str(getattr(things[name], field)) for things in (second, first))
            assert any(
                any(holds(old, term.removeprefix("$")) for term in one.must_not)
                for one in changed_questions()
                if said_of(new, field) in one.answer
            ), (name, field)


def said_of(value: str, field: str) -> str:
    """Return how an answer says the value of a field."""
    return " and ".join(re.findall(r"\w+", value)) if field == "colours" else value


def test_every_answer_that_the_shop_gives_about_a_product_is_right():
    """Prices, colours, weights and the like: all wordings of the sample fit the facts."""
    answers = {intent.name: intent.answers for intent in INTENTS}
    tried = 0
    for one in validation_questions():
        found = [item for item in SHOPS[0].products if item.thing in one.question]
        if len(found) != 1 or one.intent in {"stock", "recommend", "spare_parts", "recycle"}:
            continue
        for seed, answer in enumerate(answers[one.intent]):
            if named_in(answer) <= {"product"}:
                rng = random.Random(seed)  # noqa: S311
                text = spin(rng, answer, facts(rng, SHOPS[0]) | product_facts(found[0]))
                assert all(holds(text, term) for term in one.must), (one.question, text)
                assert not any(holds(text, term) for term in one.must_not), (one.question, text)
                tried += 1
    assert tried >= 40


def test_off_topic_questions_name_nothing_of_the_shop():
    names = {item.thing for item in SHOPS[0].products} | {store.city for store in SHOPS[0].stores}
    for one in off_topic_questions():
        assert not any(holds(one.question, name) for name in names), one.question
        assert not one.must
