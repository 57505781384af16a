"""Who is answered next, when many ask at once."""

from __future__ import annotations

from uuid import uuid4

import pytest

from chat_app.models import Deployment, Generation
from chat_app.selectors.queue import MOST_AT_WORK, fair_order
from chat_app.services import chats, generations
from chat_app.services.chats import MOST_WAITING, AnswerParams
from chat_app.serving.errors import ServingError
from otto_web.lib.work.states import State
from tests.chat_app.makers import ENDED, make_export, make_model, make_served

served = pytest.fixture(name="served")(lambda transactional_db, redis_server: make_served())


def ask(served, person, text="Well?"):
    chat = chats.open_chat(served, owner=person)
    return chats.ask(chat, text, AnswerParams(), idem=uuid4()).generation


def owners(works):
    return [work.generation.answer.chat.owner.username for work in works]


def test_a_question_that_waited_is_answered_as_its_name_answers_now(served, mia):
    asked = ask(served, mia)
    other = make_model(name="other")
    Deployment.objects.update(model=other, export=make_export(other), knowledge=None)
    (work,) = generations.claim(1)
    assert (work.generation.pk, work.generation.model) == (asked.pk, other)
    assert work.generation.export.model == other


@pytest.mark.slow
def test_one_persons_many_questions_do_not_hold_up_the_others(served, mia, milo, theo):
    many = [ask(served, mia) for _ in range(MOST_WAITING)]
    late = [ask(served, milo), ask(served, theo)]
    order = [pk for pk, _ in fair_order()]
    assert order[:3] == [many[0].pk, *(one.pk for one in late)]
    claimed = generations.claim(16)
    assert sorted(owners(claimed)) == ["mia"] * MOST_AT_WORK + ["milo", "theo"]
    assert generations.claim(16) == []  # the places that are left stay free for others
    assert owners([*generations.claim(1)]) == []
    ask(served, milo)
    assert owners(generations.claim(16)) == ["milo"]
    Generation.objects.filter(pk=many[0].pk).update(state=State.SUCCEEDED, **ENDED)
    assert owners(generations.claim(16)) == ["mia"]


@pytest.mark.slow
def test_waiting_questions_are_capped_per_person_with_a_sentence(served, mia, milo):
    first, *_ = [ask(served, mia) for _ in range(MOST_WAITING)]
    with pytest.raises(ServingError, match="10 of your questions wait"):
        ask(served, mia)
    ask(served, milo)
    Generation.objects.filter(pk=first.pk).update(state=State.SUCCEEDED, **ENDED)
    ask(served, mia)
