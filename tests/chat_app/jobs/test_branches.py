"""Other ways through a chat, with the engine: again, gone on with, read along the branch shown."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from chat_app.models import Generation, Message
from chat_app.services import branches, chats, generations
from chat_app.services.chats import AnswerParams
from chat_app.serving.errors import ServingError
from otto_web.lib.work.states import State
from tests.chat_app.conftest import running_engine
from tests.chat_app.makers import ENDED
from tests.chat_app.serving.toys import CHATS
from tests.waiting import until
from training_app.lm.template import Template
from training_app.models.paths import absolute

pytestmark = pytest.mark.slow
QUESTION, ANSWER = CHATS[0]
GREEDY = AnswerParams(temperature=0.0)
HOT = AnswerParams(temperature=1.8, seed=11)


def done(asked):
    """Wait for the end of an answer; return its row, read anew."""
    found = Generation.objects.filter(pk=asked.generation.pk).exclude(
        state__in=["queued", "running"]
    )
    until(found.exists)
    row = found.select_related("answer__chat", "answer__parent", "deployment").get()
    assert row.state in {State.SUCCEEDED, State.CANCELLED, State.INTERRUPTED}, row.message
    return row


def read(row):
    return [(turn.role, turn.text) for turn in generations.history_of(row.answer)]


def test_a_question_is_answered_again_and_the_branch_shown_is_what_is_read(deployment, engine, mia):
    chat = chats.open_chat(deployment, owner=mia)
    first = done(chats.ask(chat, QUESTION, GREEDY, idem=uuid4()))
    again = done(branches.ask_again(first.answer, HOT, idem=uuid4()))
    assert again.answer.parent == first.answer.parent
    assert (again.params["temperature"], again.seed != 11) == (1.8, True)
    assert Message.objects.get(pk=first.answer_id).text == ANSWER  # the one before stays
    chat.refresh_from_db()
    assert chat.shown_id == again.answer_id
    second = done(chats.ask(chat, CHATS[1][0], GREEDY, idem=uuid4()))
    assert read(second) == [
        ("user", QUESTION), ("assistant", again.answer.text), ("user", CHATS[1][0])
    ]  # fmt: skip
    branches.show_branch(chat, first.answer)
    third = done(chats.ask(chat, CHATS[2][0], GREEDY, idem=uuid4()))
    assert read(third)[1] == ("assistant", ANSWER)
    template = Template.open(absolute(deployment.model.path))
    assert third.prompt_text == template.tokenizer.decode(
        third.prompt_ids, skip_special_tokens=False
    )
    for words in (QUESTION, ANSWER, CHATS[2][0]):
        assert words in third.prompt_text
    assert CHATS[1][0] not in third.prompt_text


@pytest.mark.checklist(213)
def test_an_answer_that_was_cut_becomes_what_it_would_have_been(deployment, engine, mia):
    chat = chats.open_chat(deployment, owner=mia)
    params = replace(HOT, new_tokens=60)
    whole = done(chats.ask(chat, QUESTION, params, idem=uuid4()))
    other = chats.open_chat(deployment, owner=mia)
    cut = done(chats.ask(other, QUESTION, replace(params, new_tokens=7), idem=uuid4()))
    assert cut.finish == "length"
    key = uuid4()
    begun = branches.go_on(cut.answer, idem=key)
    assert branches.go_on(cut.answer, idem=key).answer == begun.answer  # sent twice, done once
    longer = done(begun)
    assert longer.answer_ids[:7] == cut.answer_ids
    assert longer.answer_ids == whole.answer_ids[: len(longer.answer_ids)]
    assert longer.answer.text.startswith(cut.answer.text.rstrip("\ufffd"))
    assert (longer.params, longer.seed, longer.continues) == (cut.params, cut.seed, cut)


def test_words_without_their_tokens_are_gone_on_with_too(deployment, mia):
    """A killed engine leaves the text that people saw, and no ids."""
    chat = chats.open_chat(deployment, owner=mia)
    asked = chats.ask(chat, QUESTION, GREEDY, idem=uuid4())
    Message.objects.filter(pk=asked.answer.pk).update(text=ANSWER[:20])
    Generation.objects.update(state=State.INTERRUPTED, finish="interrupted", **ENDED)
    asked.answer.refresh_from_db()
    asked.answer.generation.refresh_from_db()
    begun = branches.go_on(asked.answer, idem=uuid4())
    assert begun.answer.text == ANSWER[:20]
    with running_engine():
        assert done(begun).answer.text == ANSWER


def test_another_model_does_not_go_on_with_the_words_of_this_one(deployment, mia):
    chat = chats.open_chat(deployment, owner=mia)
    asked = chats.ask(chat, QUESTION, GREEDY, idem=uuid4())
    Generation.objects.update(state=State.SUCCEEDED, finish="length", model=None, **ENDED)
    Message.objects.filter(pk=asked.answer.pk).update(text="Open")
    answer = Message.objects.get(pk=asked.answer.pk)
    with pytest.raises(ServingError, match="can be gone on with"):
        branches.go_on(answer, idem=uuid4())
