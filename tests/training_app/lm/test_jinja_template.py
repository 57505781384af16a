"""A model from elsewhere reads in OTTO just what it reads in transformers."""

from __future__ import annotations

import json
import shutil
from itertools import islice
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from datasets_app.corpus.conversation import ASSISTANT, SYSTEM, USER, Conversation, Turn, passage
from datasets_app.sample.conversations import generate
from tests.training_app.lm.families import CHATML, FAMILIES, Family
from training_app.lm.jinja_template import JinjaTemplate
from training_app.lm.template import Template, TemplateError

SHOP = Path(__file__).resolve().parents[4] / "shared/data/cucom-ecommerce/ecommerce"
NAMES = [name for name in FAMILIES if name != "alpaca"]  # whose answers nothing ends
ENDS = {
    "chatml": "<|im_end|>",
    "qwen": "<|im_end|>",
    "llama": "<|eot_id|>",
    "mistral": "</s>",
    "mistral-control": "</s>",
    "gemma": "<end_of_turn>",
    "phi": "<|end|>",
    "alpaca": "</s>",
}


def real_talks() -> list[Conversation]:
    """A thousand conversations with a real shop where they lie beside the checkout."""
    if not SHOP.is_dir():
        return [item.conversation for item in islice(generate(), 1000)]
    with ZipFile(next(SHOP.glob("*.zip"))) as archive:
        lines = archive.read(archive.namelist()[0]).splitlines()[:1000]
    return [
        Conversation(
            tuple(
                Turn(USER if turn["role"].lower() == "user" else ASSISTANT, turn["content"])
                for turn in json.loads(line)["turns"]
            )
        )
        for line in lines
    ]


@pytest.fixture(scope="module")
def shop_talks():
    return real_talks()


@pytest.fixture(scope="module")
def opened(tmp_path_factory, shop_talks):
    texts = ["No.\nNot at all", *(turn.text for talk in shop_talks[:60] for turn in talk.turns)]
    known = {}

    def open_family(name):
        if name not in known:
            folder = FAMILIES[name].write(tmp_path_factory.mktemp(name), texts)
            theirs = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            known[name] = folder, Template.open(folder), theirs
        return known[name]

    return open_family


def as_messages(turns):
    return [{"role": turn.role, "content": turn.text} for turn in turns]


def answer_text(theirs, encoded):
    marked = [n for n, mark in zip(encoded.ids, encoded.answers, strict=True) if mark]
    return theirs.decode(marked)


def alternates(talk):
    return [turn.role for turn in talk.turns] == [
        (USER, ASSISTANT)[n % 2] for n in range(len(talk.turns))
    ]


def assert_equal_ids(ours, theirs, talks):
    whole = theirs.apply_chat_template([as_messages(talk.turns) for talk in talks])
    assert [encoded.ids for encoded in ours.encode_all(talks)] == whole
    for talk in talks[::10]:
        asked = talk.turns[: 1 + len(talk.turns) // 4 * 2]
        cue = theirs.apply_chat_template(as_messages(asked), add_generation_prompt=True)
        assert ours.prompt(asked).ids == cue


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_conversations_have_the_ids_that_transformers_gives(opened, shop_talks, name):
    _, ours, theirs = opened(name)
    assert_equal_ids(ours, theirs, [talk for talk in shop_talks[:40] if alternates(talk)])


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_thousand_conversations_have_the_ids_that_transformers_gives(opened, shop_talks, name):
    _, ours, theirs = opened(name)
    free = name in ("chatml", "qwen", "llama", "phi")  # any order of roles
    talks = [talk for talk in shop_talks if free or alternates(talk)]
    assert len(talks) > 900
    assert_equal_ids(ours, theirs, talks)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_answers_and_their_ends_count_and_nothing_else(opened, name):
    _, ours, theirs = opened(name)
    end = ENDS[name]
    answers = ["It is on its way.", "5 days.", "No.\nNot at all"]
    turns = []
    for number, answer in enumerate(answers):
        turns += [Turn(USER, f"Where is order {number}?"), Turn(ASSISTANT, answer)]
    encoded = ours.encode(Conversation(tuple(turns)))
    marked = answer_text(theirs, encoded).replace("<think>\n\n</think>\n\n", "")
    if name == "alpaca":
        assert marked == "".join(answers) + end
        return
    assert [piece.strip() for piece in marked.split(end)] == [*answers, ""]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_answered_is_what_training_has_after_the_prompt(opened, shop_talks, name):
    _, ours, _ = opened(name)
    talk = next(talk for talk in shop_talks if alternates(talk) and len(talk.turns) > 3)
    asked = talk.turns[:3]
    whole = ours.encode(Conversation(talk.turns[:4]))
    prompt = ours.prompt(asked).ids
    assert whole.ids[: len(prompt)] == prompt
    first = next(n for n in range(len(prompt), len(whole.ids)) if whole.answers[n])
    assert first == len(prompt)


def test_an_empty_answer_teaches_its_end_only(opened):
    _, ours, _ = opened("chatml")
    encoded = ours.encode(Conversation((Turn(USER, "Say nothing."), Turn(ASSISTANT, ""))))
    marked = [n for n, mark in zip(encoded.ids, encoded.answers, strict=True) if mark]
    assert marked == [ours.end_of_turn]


TYPED = st.lists(
    st.sampled_from(
        (
            *("<|im_end|>", "<|im_start|>", "</s>", "[/INST]", "<end_of_turn>", "<|eot_id|>"),
            *("\ufdd4", "0\ufdd5", "\ufdd20\ufdd3", "\ufdd6", "é", "end", *"<|>s[] \n"),
        )
    )
)


@pytest.mark.slow
@given(TYPED.map("".join))
@settings(deadline=None)
def test_a_typed_control_token_stays_text(opened, text):
    for name in ("chatml", "llama", "gemma", "mistral"):
        _, ours, _ = opened(name)
        turns = [Turn(USER, f"a{text}b"), Turn(ASSISTANT, f"a{text}b"), Turn(USER, "Well?")]
        plain = [Turn(USER, "a"), Turn(ASSISTANT, "a"), Turn(USER, "Well?")]
        controls = {ours.tokenizer.token_to_id(token) for token in FAMILIES[name].specials}
        typed, quiet = (
            [number for number in ours.prompt(said).ids if number in controls]
            for said in (turns, plain)
        )
        assert typed == quiet


@pytest.mark.parametrize("name", ["mistral", "gemma"])
def test_a_template_that_wants_turns_to_alternate_gets_them_so(opened, name):
    _, ours, theirs = opened(name)
    turns = [Turn(ASSISTANT, "Hello!"), Turn(USER, "One"), Turn(USER, "two"), Turn(ASSISTANT, "3")]
    encoded = ours.encode(Conversation(tuple(turns)))
    joined = [Turn(USER, ""), turns[0], Turn(USER, "One\n\ntwo"), turns[3]]
    assert encoded.ids == theirs.apply_chat_template(as_messages(joined))
    assert ours.prompt(turns[:2]).ids == theirs.apply_chat_template(
        as_messages([Turn(USER, ""), *turns[:2]]), add_generation_prompt=True
    )


def test_a_template_without_system_prompts_gets_them_before_the_question(opened):
    _, ours, theirs = opened("gemma")
    turns = [Turn(SYSTEM, "Be kind."), Turn(USER, "Hi"), Turn(ASSISTANT, "Hello")]
    joined = [Turn(USER, "Be kind.\n\nHi"), turns[2]]
    assert ours.encode(Conversation(tuple(turns))).ids == theirs.apply_chat_template(
        as_messages(joined)
    )


def test_a_template_that_refuses_whatever_is_tried_says_so_in_its_words(opened, tmp_path):
    folder = shutil.copytree(opened("chatml")[0], tmp_path / "strict")
    chat = "{% if messages|length > 3 %}{{ raise_exception('Too long.') }}{% endif %}" + CHATML
    (folder / "chat_template.jinja").write_text(chat, "utf-8")
    turns = [Turn((USER, ASSISTANT)[n % 2], "a") for n in range(5)]
    with pytest.raises(TemplateError, match=r"refuses this conversation: “Too long\.”"):
        Template.open(folder).prompt(turns)


@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_that_is_too_long_loses_its_oldest_turns(opened, name):
    _, ours, _ = opened(name)
    system = Turn(SYSTEM, "Be kind.")
    turns = [system]
    for number in range(6):
        turns += [Turn(USER, f"Question {number}"), Turn(ASSISTANT, f"Answer {number}")]
    turns.append(Turn(USER, "Last question"))
    whole = ours.prompt(turns)
    assert (whole.dropped_turns, whole.cut_tokens) == (0, 0)
    fitted = ours.prompt(turns, budget=len(whole.ids) - 1)
    assert fitted.dropped_turns == 2
    assert fitted.ids == ours.prompt([system, *turns[3:]]).ids


@pytest.mark.parametrize("name", ["chatml", "llama", "mistral", "gemma", "phi"])
def test_a_message_longer_than_the_budget_keeps_its_end(opened, name):
    _, ours, _ = opened(name)
    system = Turn(SYSTEM, "Be kind.")
    turns = [system, Turn(USER, "old"), Turn(USER, "parcel " * 100 + "where is it")]
    least = len(ours.prompt([system, Turn(USER, "")]).ids)
    for budget in range(least, least + 40, 7):
        prompt = ours.prompt(turns, budget=budget)
        assert len(prompt.ids) <= budget
        assert prompt.cut_tokens > 0
        assert prompt.dropped_turns == 1
        assert "Be kind." in ours.decode(prompt.ids)
    assert "where is it" in ours.decode(prompt.ids)
    with pytest.raises(TemplateError, match="system prompt alone"):
        ours.prompt(turns, budget=least - 1)


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_can_be_continued(opened, name):
    _, ours, _ = opened(name)
    asked = [Turn(USER, "Where?")]
    begun = ours.prompt(asked, answer_start="On its way to").ids
    whole = ours.encode(Conversation((*asked, Turn(ASSISTANT, "On its way to you")))).ids
    assert begun[:-1] == whole[: len(begun) - 1]  # the last one may have become longer
    assert ours.decode(begun).endswith("On its way to")


def test_passages_have_their_text_and_an_end(opened):
    _, ours, theirs = opened("llama")
    encoded = ours.encode(passage("Plain text."))
    assert encoded.ids == [*theirs("Plain text.").input_ids, ours.end_of_text]
    assert encoded.answers == [0, *[1] * (len(encoded.ids) - 1)]
    assert ours.completion("Plain text.").ids == theirs("Plain text.").input_ids
    assert len(ours.completion("Plain text. " * 50, budget=9).ids) == 9


def test_ends_of_answers_come_from_the_folder_and_from_the_template(opened):
    for name in FAMILIES:
        _, ours, theirs = opened(name)
        assert theirs.convert_tokens_to_ids(ENDS[name]) == ours.end_of_turn
        assert ours.end_of_turn in ours.stop_ids
    _, llama, theirs = opened("llama")
    eom = theirs.convert_tokens_to_ids("<|eom_id|>")
    assert eom in llama.stop_ids


def test_an_end_that_the_tokenizer_does_not_call_a_control_token_is_one(tmp_path):
    family = Family(
        CHATML, "<|endoftext|>", ("<|endoftext|>",), plain=("<|im_start|>", "<|im_end|>")
    )
    ours = Template.open(family.write(tmp_path, ["where is my parcel"] * 9, size=300))
    end = ours.tokenizer.token_to_id("<|im_end|>")
    assert ours.end_of_turn == end
    ids = ours.prompt([Turn(USER, "a<|im_end|>b")]).ids
    assert ids.count(end) == 2  # that of the template's own system prompt, and the question's
    assert ours.decode([*ours.text_ids("a"), end]) == "a"


@pytest.mark.slow
@given(TYPED.map("".join))
@settings(max_examples=30, deadline=None)
def test_a_typed_control_token_stays_text_in_other_tools_too(saved, text):
    for name, ours, theirs in saved:
        turns = [Turn(USER, f"a{text}b"), Turn(ASSISTANT, f"a{text}b"), Turn(USER, "Well?")]
        if not set(text) & set("\ufdd4\ufdd5"):
            ids = theirs.apply_chat_template(as_messages(turns), add_generation_prompt=True)
            assert ids == ours.prompt(turns).ids, name


@pytest.fixture(scope="module")
def saved(opened, tmp_path_factory):
    """What tools see that open the folder of a model that OTTO made of another."""
    found = []
    for name in ("chatml", "llama", "mistral", "gemma", "qwen", "phi"):
        folder = tmp_path_factory.mktemp(f"saved-{name}")
        assert opened(name)[1].save(folder, context=64) == ""
        theirs = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        found.append((name, Template.open(folder, kind="jinja"), theirs))
    return found


@pytest.mark.slow
def test_a_saved_folder_gives_the_ids_of_the_one_it_came_from(opened, saved, shop_talks):
    talks = [talk for talk in shop_talks[:40] if alternates(talk)]
    for name, ours, theirs in saved:
        _, before, _ = opened(name)
        assert_equal_ids(ours, theirs, talks)
        assert [one.ids for one in before.encode_all(talks)] == [
            one.ids for one in ours.encode_all(talks)
        ]
        assert ours.source == before.source
        assert ours.stop_ids == before.stop_ids
        texts = [turn.text for talk in talks for turn in talk.turns]
        again = AutoTokenizer.from_pretrained(opened(name)[0], local_files_only=True)
        assert theirs(texts).input_ids == again(texts).input_ids


def test_a_tokenizer_that_leaves_no_way_is_saved_as_it_came_and_says_so(opened, tmp_path):
    folder = shutil.copytree(opened("chatml")[0], tmp_path / "base")
    values = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    for token in values["added_tokens"]:
        token["normalized"] = True  # it is looked for after the break is gone
    (folder / "tokenizer.json").write_text(json.dumps(values), "utf-8")
    ours = Template.open(folder)
    (tmp_path / "made").mkdir()
    assert "in other tools it becomes one" in ours.save(tmp_path / "made", context=64)
    made = tmp_path / "made" / "tokenizer.json"
    assert made.read_bytes() == (folder / "tokenizer.json").read_bytes()
    turns = [Turn(USER, "a<|im_end|>b")]
    assert ours.prompt(turns).ids.count(ours.end_of_turn) == 2


def test_a_folder_says_which_template_it_wants(opened, tmp_path, template):
    folder, ours, _ = opened("chatml")
    assert isinstance(ours, JinjaTemplate)
    template.save(tmp_path, context=64)
    assert Template.open(tmp_path).kind == "otto"
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "otto.json").write_text('{"template": "jinja"}')
    assert Template.open(copy).kind == "jinja"
    (copy / "otto.json").write_text('{"template": "later"}')
    with pytest.raises(TemplateError, match="Update OTTO"):
        Template.open(copy)


def test_a_folder_without_any_end_or_template_is_refused(tmp_path):
    family = Family("{{ messages[0]['content'] }}", "</s>", ())
    with pytest.raises(TemplateError, match=r"does not write|Nothing ends"):
        Template.open(family.write(tmp_path, ["some text"], size=300))
    (tmp_path / "tokenizer_config.json").write_text("{}")
    with pytest.raises(TemplateError, match="no chat template"):
        Template.open(tmp_path, kind="jinja")


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_that_is_not_to_be_learnt_is_read_and_not_trained(opened, name):
    _, template, _ = opened(name)
    first, last = Turn(ASSISTANT, "Not at all"), Turn(ASSISTANT, "No.")
    refused = Turn(ASSISTANT, first.text, is_learnt=False)
    asked = (Turn(USER, "No.\nNot at all"), first, Turn(USER, "No."), last)
    whole = template.encode(Conversation(asked))
    partly = template.encode(Conversation((asked[0], refused, *asked[2:])))
    assert partly.ids == whole.ids
    learnt = [n for n, mark in zip(partly.ids, partly.answers, strict=True) if mark]
    told = template.decode(learnt).strip()
    assert told.endswith("No.")
    assert first.text not in told
