"""Turns become ids in one place only, and what a person writes can never be a control token."""

from __future__ import annotations

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, models, normalizers
from transformers import AutoTokenizer

from datasets_app.corpus.conversation import (
    ASSISTANT,
    SYSTEM,
    USER,
    Conversation,
    Turn,
    passage,
)
from training_app.lm.breaks import BREAK
from training_app.lm.otto_template import CONTROL_TOKENS, OttoTemplate
from training_app.lm.template import Template, TemplateError, with_system_prompt
from training_app.lm.tokenizer import train_bpe

TALK = Conversation(
    (
        Turn(SYSTEM, "Be kind."),
        Turn(USER, " Where is\nmy parcel? "),
        Turn(ASSISTANT, "On its way 👋."),
    )
)


@pytest.fixture(scope="module")
def transformers_tokenizer(template, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    template.save(folder, context=64)
    return AutoTokenizer.from_pretrained(folder, local_files_only=True)


def as_messages(turns):
    return [{"role": turn.role, "content": turn.text} for turn in turns]


def test_the_written_chat_template_gives_the_same_ids(template, transformers_tokenizer, talks):
    for talk in (TALK, *talks[:8]):
        messages = as_messages(talk.turns)
        whole = transformers_tokenizer.apply_chat_template(messages)
        assert whole == [template.end_of_text, *template.encode(talk).ids]
        cue = transformers_tokenizer.apply_chat_template(messages[:-1], add_generation_prompt=True)
        assert cue == template.prompt(talk.turns[:-1]).ids


def test_an_answer_that_is_not_to_be_learnt_is_read_and_not_trained(template):
    again = (Turn(USER, "And now?"), Turn(ASSISTANT, "At your door."))
    whole = template.encode(Conversation((*TALK.turns, *again)))
    refused = Turn(ASSISTANT, TALK.turns[-1].text, is_learnt=False)
    partly = template.encode(Conversation((*TALK.turns[:-1], refused, *again)))
    assert partly.ids == whole.ids
    learnt = [n for n, mark in zip(partly.ids, partly.answers, strict=True) if mark]
    assert template.decode(learnt) == "At your door."


TYPED = st.lists(
    st.sampled_from([*CONTROL_TOKENS, *"<|>s", "<|", "end|>", "</s>", " ", "é", BREAK])
)


@pytest.mark.slow
@given(TYPED.map("".join))
def test_what_people_type_gives_the_same_ids_in_other_tools(
    template, transformers_tokenizer, foreign, text
):
    for ours, theirs in ((template, transformers_tokenizer), foreign):
        turns = [Turn(USER, text), Turn(ASSISTANT, text), Turn(USER, "Well?")]
        ids = theirs.apply_chat_template(as_messages(turns), add_generation_prompt=True)
        assert ids == ours.prompt(turns).ids
        assert ids.count(ours.end_of_turn) == 3


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """A tokenizer made elsewhere, with a normalizer and a control token of its own."""
    made = train_bpe(["where is my parcel </s> it is here"] * 60, 400).tokenizer
    made.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    made.add_special_tokens([AddedToken("</s>", special=True, normalized=False)])
    folder = tmp_path_factory.mktemp("foreign")
    OttoTemplate.of(made).save(folder, context=64)
    return Template.open(folder), AutoTokenizer.from_pretrained(folder, local_files_only=True)


def test_a_role_that_the_model_does_not_know_is_refused_in_words(transformers_tokenizer):
    with pytest.raises(jinja2.TemplateError, match="system, user, assistant"):
        transformers_tokenizer.apply_chat_template([{"role": "tool", "content": "42"}])


@pytest.mark.parametrize("literal", CONTROL_TOKENS)
def test_a_literal_control_token_in_a_message_stays_text(template, literal):
    text = f"before {literal} after"
    ids = template.encode(Conversation((Turn(USER, text), Turn(ASSISTANT, literal)))).ids
    controls = [template.tokenizer.token_to_id(token) for token in CONTROL_TOKENS]
    assert sum(number in controls for number in ids) == 5
    assert not set(template.prompt([Turn(USER, text)]).ids[2:-2]) & set(controls)
    assert template.decode(ids) == text + literal


def test_only_the_answers_and_their_ends_are_marked(template):
    encoded = template.encode(TALK)
    answer = [n for n, mark in zip(encoded.ids, encoded.answers, strict=True) if mark]
    assert answer == [*template.text_ids("On its way 👋."), template.end_of_turn]
    assert encoded.ids[-2:] == [template.end_of_turn, template.end_of_text]


def test_a_passage_has_no_roles_and_counts_wholly(template):
    encoded = template.encode(passage("Plain text."))
    assert encoded.ids == [*template.text_ids("Plain text."), template.end_of_text]
    assert set(encoded.answers) == {1}


def test_an_unknown_role_is_refused_by_name(template):
    with pytest.raises(TemplateError, match="Supervisor"):
        template.encode(Conversation((Turn("Supervisor", "Hello"),)))


@pytest.mark.checklist(7)
def test_trimming_drops_the_oldest_turns_and_keeps_system_prompt_and_cue(template):
    turns = [Turn(SYSTEM, "Be kind.")]
    for number in range(6):
        turns += [Turn(USER, f"Question {number}"), Turn(ASSISTANT, f"Answer {number}")]
    turns.append(Turn(USER, "Last question"))
    whole = template.prompt(turns)
    assert (whole.dropped_turns, whole.cut_tokens) == (0, 0)
    fitted = template.prompt(turns, budget=len(whole.ids) - 1)
    assert fitted.dropped_turns == 2
    text = template.decode(fitted.ids)
    assert text.startswith("Be kind.Question 1")
    assert text.endswith("Last question")
    assert fitted.ids[-1] == template.cues[ASSISTANT]


@pytest.mark.checklist(7)
@given(budget=st.integers(12, 200), lengths=st.lists(st.integers(0, 60), min_size=1, max_size=8))
def test_a_prompt_never_exceeds_its_budget(template, budget, lengths):
    turns = [
        Turn((USER, ASSISTANT)[number % 2], "parcel " * length)
        for number, length in enumerate(lengths)
    ]
    prompt = template.prompt(turns, budget=budget)
    assert len(prompt.ids) <= budget
    assert prompt.ids[-1] == template.cues[ASSISTANT]
    if not prompt.dropped_turns and not prompt.cut_tokens:
        assert prompt.ids == template.prompt(turns).ids


def test_a_message_longer_than_the_budget_keeps_its_end(template):
    turns = [Turn(USER, "old"), Turn(USER, "parcel " * 100 + "where is it")]
    prompt = template.prompt(turns, budget=20)
    assert prompt.dropped_turns == 1
    assert prompt.cut_tokens > 0
    assert len(prompt.ids) == 20
    assert template.decode(prompt.ids).endswith("where is it")


def test_a_system_prompt_that_leaves_no_room_is_refused(template):
    with pytest.raises(TemplateError, match="system prompt"):
        template.prompt([Turn(SYSTEM, "Be kind. " * 50)], budget=20)


def test_an_answer_can_be_continued(template):
    prompt = template.prompt([Turn(USER, "Where?")], answer_start="On its")
    assert prompt.ids[-len(template.text_ids("On its")) :] == template.text_ids("On its")


def test_the_system_prompt_opens_conversations_that_lack_one():
    talk = Conversation((Turn(USER, "Hi"),))
    assert with_system_prompt(talk, "Be kind.").turns[0] == Turn(SYSTEM, "Be kind.")
    assert with_system_prompt(TALK, "Other.") is TALK
    assert with_system_prompt(passage("x"), "Other.") == passage("x")


def test_a_tokenizer_without_control_tokens_is_refused():
    with pytest.raises(TemplateError, match="control tokens"):
        OttoTemplate.of(Tokenizer(models.BPE()))
