"""Learning with known answers: what a prompt holds, what counts, and that a resume gives the same.

The examples are made of real knowledge, with a toy encoder.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
import torch

from datasets_app.corpus.conversation import ASSISTANT, SYSTEM, USER, Conversation, Turn, passage
from datasets_app.knowledge.encoder import Encoder
from datasets_app.knowledge.find import Without
from datasets_app.knowledge.known import Asked, KnowledgeKey, KnownAnswers
from datasets_app.knowledge.store import Writer
from tests.datasets_app.knowledge.toys import rows, talk, toy_encoder
from training_app.lm import answerer
from training_app.lm.answer_test import AnswerTest, Item
from training_app.lm.config import ABSTENTION, ConfigError, DataConfig, TrainingError
from training_app.lm.contract import Grounds, Start, TokenSource
from training_app.lm.driver import train_run
from training_app.lm.elsewhere import QUESTIONS_ELSEWHERE
from training_app.lm.examples import ExampleBatches, Examples
from training_app.lm.fast import FastLoss
from training_app.lm.grounding import INSTRUCTION, Source, grounded, grounded_prompt
from training_app.lm.model import build_model
from training_app.lm.neighbours import KEPT_BACK as KEPT_BACK_SPLITS
from training_app.lm.neighbours import Neighbours, encoded_split, exchanges_of
from training_app.lm.packing import open_packed, pack

pytestmark = pytest.mark.usefixtures("quick_trial")

COLOURS = ("red", "blue", "green", "black")
SHOP = [
    talk(f"How much is tent number {n} please?", f"Tent {n} costs ${100 + n}.", "And the boots?",
         f"Boots {n} cost ${200 + n} in {COLOURS[n % 4]}.")
    for n in range(60)
]  # fmt: skip
SOMETIMES_NO = DataConfig(sources=3, abstaining=0.12)
KEPT_BACK = [talk(f"What is the price of tent {n}?", f"${100 + n} it is.") for n in range(6)]


def never():
    return None


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return toy_encoder(tmp_path_factory.mktemp("encoders") / "toy")


@pytest.fixture(scope="module")
def known(tmp_path_factory, encoder):
    """Return the rows of both splits and the folder of what is known of them."""
    train, validation = rows(*SHOP), rows(*KEPT_BACK, split="validation", first=100)
    folder = tmp_path_factory.mktemp("knowledge") / "shop"
    writer = Writer(folder, encoder=Encoder.open(encoder))
    writer.add(train)
    writer.add(validation)
    writer.finish()
    return train, validation, folder


@pytest.fixture(scope="module")
def grounded_data(known):
    train, validation, folder = known
    numbered = {"train": train, "validation": validation}
    return TokenSource(
        [row.conversation for row in train],
        [row.conversation for row in validation],
        fingerprint="shop",
        rows={name: [(row.pk, row.conversation) for row in split]
              for name, split in numbered.items()},
        knowledge=folder,
    )  # fmt: skip


@pytest.fixture
def grounded_spec(spec, changed):
    model = replace(spec.model, context=256)
    train = changed(spec, loss_on="answers", micro_batch=2).train
    return replace(spec, model=model, train=train, data=replace(SOMETIMES_NO, sources=2))


def asked(neighbours, conversation, row):
    return [neighbours.example(one) for one in exchanges_of(row, conversation)]


def test_knowledge_that_is_damaged_ends_a_run_in_its_sentence(
    grounded_data, grounded_spec, tmp_path
):
    data = replace(grounded_data, knowledge=tmp_path)
    with pytest.raises(TrainingError, match="Build it again"):
        next(encoded_split(grounded_spec, data, "train", None))


def test_the_nearest_source_stands_next_to_the_question():
    turns = (Turn(USER, "Hello"), Turn(ASSISTANT, "Hi."), Turn(USER, "How much?"))
    told = grounded(turns, [Source("near", "q1"), Source("far")])
    assert told[0] == Turn(SYSTEM, INSTRUCTION)
    assert told[1:3] == turns[:2]
    assert told[3].text == "Known answers:\n\nfar\n\nQ: q1\nA: near\n\nQuestion: How much?"


def test_a_system_prompt_of_the_team_stays_and_answers_are_no_questions():
    own = Turn(SYSTEM, "Be kind.")
    assert grounded([own, Turn(USER, "Hi?")], [])[0] == own
    with pytest.raises(ValueError, match="only a question"):
        grounded([Turn(ASSISTANT, "Hi.")], [])


def test_a_full_context_loses_old_turns_then_far_sources_and_never_the_question(template):
    talked = [Turn(USER, "old words " * 20), Turn(ASSISTANT, "old answer " * 20)]
    turns = [*talked, Turn(USER, "How much is it?")]
    sources = [Source(f"source {n} " + "word " * 12) for n in range(3)]
    short, all_three = grounded_prompt(template, turns[2:], sources, budget=10_000)
    fits, used = grounded_prompt(template, turns, sources, budget=len(short.ids))
    assert (all_three, used, fits.dropped_turns) == (3, 3, 2)
    tight, fewer = grounded_prompt(template, turns, sources, budget=len(short.ids) - 20)
    assert 0 < fewer < 3
    assert "How much is it?" in template.decode(tight.ids)
    assert "source 0" in template.decode(tight.ids)
    assert len(tight.ids) <= len(short.ids) - 20


def test_an_example_never_holds_its_own_row_or_what_is_kept_back(known):
    train, validation, folder = known
    neighbours = Neighbours(folder, SOMETIMES_NO, seed=1)
    kept_back = {turn.text for row in validation for turn in row.conversation.turns}
    for row in train:
        for example in asked(neighbours, row.conversation, row.pk):
            told = {source.answer for source in example.sources}
            assert not told & kept_back
            if example.answer != ABSTENTION:
                assert example.answer not in told  # here only its own row gives this answer
                assert example.sources


def test_validation_questions_are_asked_as_at_serving(known):
    _, validation, folder = known
    neighbours = Neighbours(folder, DataConfig(sources=2), seed=1)
    for row in validation:
        (exchange,) = exchanges_of(row.pk, row.conversation)
        example = neighbours.question(exchange)
        assert example.answer == row.conversation.turns[1].text
        assert all(source.answer.startswith(("Tent", "Boots")) for source in example.sources)
        assert len(example.sources) == 2


@pytest.mark.slow
def test_the_sources_of_a_validation_question_are_those_that_serving_finds(known, encoder):
    train, _, folder = known
    neighbours, served = Neighbours(folder, DataConfig(sources=3), seed=1), KnownAnswers()
    for row in train:
        for exchange in exchanges_of(row.pk, row.conversation):  # the second leans on the first
            example = neighbours.question(exchange)
            without = Without(rows=[row.pk], splits=KEPT_BACK_SPLITS)
            key = KnowledgeKey(folder, encoder=encoder)
            found = served.find(key, exchange.turns, most=3, without=without).found
            assert [one.piece.answer for one in found] == [one.answer for one in example.sources]


@pytest.mark.slow
def test_some_examples_ask_about_something_else_and_learn_to_say_no(known):
    train, _, folder = known
    own = replace(SOMETIMES_NO, abstention="Ask a colleague.")
    neighbours = Neighbours(folder, own, seed=1)
    examples = [one for row in train for one in asked(neighbours, row.conversation, row.pk)]
    saying_no = [one for one in examples if one.answer == "Ask a colleague."]
    assert {one.turns[-1].text for one in saying_no} <= set(QUESTIONS_ELSEWHERE)
    assert 4 <= len(saying_no) <= 30  # of 120, at a share of 0.12
    again = Neighbours(folder, own, seed=1)
    assert examples == [one for row in train for one in asked(again, row.conversation, row.pk)]


def test_the_runs_system_prompt_opens_every_prompt_in_place_of_the_instruction(known):
    train, _, folder = known
    own = replace(SOMETIMES_NO, system_prompt="Be kind.")
    neighbours = Neighbours(folder, own, seed=1)
    examples = [one for row in train for one in asked(neighbours, row.conversation, row.pk)]
    assert ABSTENTION in {one.answer for one in examples}
    for one in examples:
        assert [turn.text for turn in one.asked().turns if turn.role == SYSTEM] == ["Be kind."]


def test_the_talk_before_a_question_comes_along():
    later = list(exchanges_of(7, SHOP[0]))[1]
    assert later.question == "And the boots?"
    assert [turn.role for turn in later.turns] == [USER, ASSISTANT, USER]
    assert Asked.last(later.turns).context == "Tent 0 costs $100."


def test_talks_without_an_answer_and_with_a_system_prompt_make_no_example():
    silent = Conversation((Turn(SYSTEM, "Be kind."), Turn(USER, "Hi?"), Turn(ASSISTANT, " ")))
    assert list(exchanges_of(7, silent)) == []
    opened = Conversation((Turn(SYSTEM, "Be kind."), Turn(USER, "Hi?"), Turn(ASSISTANT, "Yes.")))
    (one,) = exchanges_of(7, opened)
    assert one.before == ()


def test_loss_counts_on_the_answer_alone_and_an_example_fits_the_context(
    template, grounded_spec, grounded_data
):
    for split, conversations in (("train", SHOP), ("validation", KEPT_BACK)):
        encoded = list(encoded_split(grounded_spec, grounded_data, split, template))
        assert len(encoded) == sum(len(one.turns) // 2 for one in conversations)
        for one in encoded:
            first = one.answers.index(1)
            assert one.answers == [0] * first + [1] * (len(one.ids) - first)
            assert len(one.ids) <= grounded_spec.model.context
            assert one.ids[-1] == template.end_of_turn
        words = {template.decode(one.ids[one.answers.index(1):]) for one in encoded}  # fmt: skip
        answers = {turn.text for one in conversations for turn in one.turns[1::2]}
        assert words <= answers | {ABSTENTION}


def test_an_answer_longer_than_the_context_is_cut_to_its_half(template, known, grounded_spec):
    _, _, folder = known
    long = talk("How much is tent number 3 please?", "very long " * 400)
    data = TokenSource([long], [long], "long", {"train": [(5, long)]}, folder)
    (one,) = encoded_split(grounded_spec, data, "train", template)
    assert len(one.ids) <= grounded_spec.model.context
    assert sum(one.answers) == grounded_spec.model.context // 2


def test_a_version_without_questions_or_without_knowledge_is_a_sentence(
    grounded_spec, grounded_data, tmp_path, diary
):
    texts = [(number, passage(f"Text {number}.")) for number in range(9)]
    plain = replace(grounded_data, rows={"train": texts, "validation": texts})
    with pytest.raises(TrainingError, match="no conversation"):
        train_run(grounded_spec, plain, tmp_path / "plain", diary, never)
    with pytest.raises(TrainingError, match="knowledge of this version is not built"):
        train_run(grounded_spec, replace(grounded_data, knowledge=None), tmp_path, diary, never)
    with pytest.raises(ConfigError, match="when it does not know"):
        DataConfig(sources=1, abstention=" ")
    short = replace(grounded_spec.model, context=128)
    with pytest.raises(ConfigError, match="at least 256 tokens"):
        replace(grounded_spec, model=short)


@pytest.fixture
def packed(template, grounded_spec, grounded_data, tmp_path):
    encoded = encoded_split(grounded_spec, grounded_data, "train", template)
    pack(encoded, tmp_path / "train", vocab_size=512, context=256)
    return open_packed(tmp_path / "train")


def test_every_pass_holds_every_example_once_and_no_batch_is_too_large(packed):
    batches = ExampleBatches(packed, budget=400, seed=3)
    lengths = Examples.of(packed).lengths
    for first in (0, batches.a_pass):
        answers = 0
        for number in range(first, first + batches.a_pass):
            windows = batches.at(number)
            assert windows.ids.size <= 400
            answers += int((windows.answers * windows.counted).sum())
        assert answers == packed.facts.answer_tokens
    assert lengths.sum() == packed.facts.tokens
    same = ExampleBatches(packed, budget=400, seed=3)
    assert np.array_equal(same.at(5).ids, batches.at(5).ids)
    other = ExampleBatches(packed, budget=400, seed=4)
    assert any(
        not np.array_equal(other.at(n).ids, batches.at(n).ids) for n in range(batches.a_pass)
    )


def test_an_example_begins_at_its_first_token_and_sees_no_other(packed):
    chosen = np.array([3, 9])
    windows = Examples.of(packed).windows(chosen)
    for row, place in enumerate(chosen):
        begin, length = Examples.of(packed).begins[place], Examples.of(packed).lengths[place]
        told = packed.tokens[begin : begin + length]
        assert windows.ids[row, : length - 1].tolist() == told[:-1].tolist()
        assert windows.targets[row, : length - 1].tolist() == told[1:].tolist()
        assert windows.counted[row].sum() == length - 1


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_the_head_that_reads_only_what_counts_gives_the_same_loss(family, spec, template, packed):
    values = replace(spec.model, family=family, context=256)
    network = build_model(values, template, seed=1)
    windows = Examples.of(packed).windows(np.arange(4))
    ids, targets = (torch.from_numpy(one) for one in windows[:2])
    weights = torch.from_numpy((windows.answers * windows.counted).astype(np.float32))
    whole = FastLoss(network)(ids, targets, weights)
    picked = FastLoss(network, counted_only=True)(ids, targets, weights)
    assert torch.allclose(whole, picked, rtol=1e-5)


@pytest.mark.slow
def test_a_run_with_knowledge_resumes_to_the_same_bits(
    grounded_spec, grounded_data, tmp_path, diary_of
):
    whole = diary_of(tmp_path / "whole")
    ended = train_run(grounded_spec, grounded_data, tmp_path / "a", whole, never)
    part = diary_of(tmp_path / "part")
    calls = count()
    stop = lambda: "drain" if "training" in part.phases and next(calls) > 11 else None  # noqa: E731
    train_run(grounded_spec, grounded_data, tmp_path / "b", part, stop)
    start = Start(checkpoints=part.newest_first(), decided=part.facts)
    rest = diary_of(tmp_path / "rest")
    resumed = train_run(grounded_spec, grounded_data, tmp_path / "c", rest, never, start)
    assert part.exact() | rest.exact() == whole.exact()
    files = [one.folder / "model.safetensors" for one in (ended, resumed)]
    assert files[0].read_bytes() == files[1].read_bytes()
    first = min(v for (name, step), v in whole.curve.items() if name == "train/loss" and step < 4)
    last = max(v for (name, step), v in whole.curve.items() if name == "train/loss" and step > 21)
    assert last < first
    assert ended.manifest["leaked_share"] is None
    assert whole.replies[0][0][1] in {one.turns[0].text for one in KEPT_BACK}  # as a person asked


@pytest.mark.slow
def test_a_run_is_tested_with_what_was_known_when_it_began(
    grounded_spec, grounded_data, tmp_path, diary, monkeypatch
):
    """While it trained the knowledge was built anew, and the folder before it went."""
    folder = tmp_path / "known"
    shutil.copytree(grounded_data.knowledge, folder)
    monkeypatch.setattr(answerer, "replies", lambda *about, **_: ["It costs $107."] * len(about[2]))
    item = Item((Turn(USER, "What would tent 7 cost me?"),), "Tent 7 costs $107.")
    test = AnswerTest([item], abstention="Nobody knows.")
    spec = replace(grounded_spec, train=replace(grounded_spec.train, steps=2))
    grounds = Grounds(KnowledgeKey(folder), 2, "Nobody knows.")
    shutil.rmtree(folder)
    start = Start(grounds=grounds, answer_test=test)
    result = train_run(spec, grounded_data, tmp_path / "a", diary, never, start)
    assert (result.answers.right, result.answers.abstained) == (1, 0)
    start = Start(grounds=Grounds(KnowledgeKey(folder), 2, "Nobody knows."), answer_test=test)
    result = train_run(spec, grounded_data, tmp_path / "b", diary, never, start)
    assert (result.answers.total, result.answers.unasked) == (0, 1)
    assert "1 questions could not be asked. Nothing known could be read." in result.verdict


@pytest.mark.slow
def test_a_run_is_tested_with_what_it_knows(
    grounded_spec, grounded_data, tmp_path, diary, monkeypatch
):
    """The question is asked in other words; what is known of it stands in the prompt."""
    prompts = []

    def answered(network, template, questions, *, codes):
        assert codes == [frozenset(), frozenset()]
        prompts.extend(question.turns[-1].text for question in questions)
        return ["Tent 7 costs $107.", "It is designed for beautiful evenings."]

    monkeypatch.setattr(answerer, "replies", answered)
    item = Item((Turn(USER, "What would tent 7 cost me?"),), "Tent 7 costs $107.")
    made_up = Item((Turn(USER, "What would tent 8 cost me?"),), "Tent 8 costs $108.")
    strange = Item((Turn(USER, "Who painted it?"),), kind="off_topic")
    start = Start(
        grounds=Grounds(KnowledgeKey(grounded_data.knowledge), 2, "Nobody knows."),
        answer_test=AnswerTest([item, made_up, strange], abstention="Nobody knows."),
    )
    spec = replace(grounded_spec, train=replace(grounded_spec.train, steps=2))
    result = train_run(spec, grounded_data, tmp_path, diary, never, start)
    assert (result.answers.right, result.answers.total) == (2, 2)  # the nearest is quoted instead
    assert (result.answers.off_topic_abstained, len(prompts)) == (1, 2)  # nothing near: no model
    assert "Known answers:" in prompts[0]
    assert "Tent 7 costs $107." in prompts[0]
    assert "$107 it is." not in prompts[0]  # a row that is kept back


def test_half_precision_answers_with_a_copy_and_leaves_the_weights(spec, template):
    network = build_model(spec.model, template, seed=1)
    before = {name: weights.clone() for name, weights in network.named_parameters()}
    answer = answerer.answerer(network, template, bf16=True)
    talks = [(Turn(USER, "How much?"),), (Turn(USER, "How much is the tent please?"),)]
    assert len(answer(talks)) == 2
    for name, weights in network.named_parameters():
        assert torch.equal(weights, before[name])
        assert weights.dtype == torch.float32
