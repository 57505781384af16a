"""The fast forward computes transformers' numbers; losses count what they should, and only that."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from datasets_app.corpus.conversation import ASSISTANT, SYSTEM, USER, Conversation, Turn
from training_app.lm.bands import LossCurve
from training_app.lm.checkpoint import (
    CheckpointError,
    ResumeState,
    read_checkpoint,
    verify_checkpoint,
    write_checkpoint,
)
from training_app.lm.config import ModelConfig, TrainConfig, TrainingError
from training_app.lm.evaluation import Figures, band, evaluate, validation, verdict
from training_app.lm.fast import FastLoss
from training_app.lm.generate import Wanted, generate
from training_app.lm.loop import Batch, DivergedError, EarlyStopping, Optimization, update
from training_app.lm.model import build_model, pick_device
from training_app.lm.otto_template import OttoTemplate
from training_app.lm.packing import open_packed, pack
from training_app.lm.replies import Question, question_of, replies
from training_app.lm.schedule import Schedule
from training_app.lm.tokenizer import bytes_only, token_bytes
from training_app.lm.trainable import make_optimizer

SHAPES = {
    "llama": ModelConfig(layers=2, heads=2, kv_heads=2, hidden_size=32, context=32),
    "llama grouped": ModelConfig(layers=2, heads=4, kv_heads=2, hidden_size=64, context=32),
    "gpt2": ModelConfig("gpt2", layers=2, heads=2, kv_heads=2, hidden_size=16, context=32),
    "gpt2 untied": ModelConfig("gpt2", 1, 2, 2, 16, 32, tie_word_embeddings=False),
}


def lively(model, *, scale=0.2):
    """Give every weight a value, so that no part of the network is silent."""
    torch.manual_seed(7)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * scale)
    return model


@pytest.fixture(params=SHAPES)
def model(request, template):
    return lively(build_model(SHAPES[request.param], template, seed=1))


@pytest.fixture
def small(template):
    return lively(build_model(SHAPES["llama"], template, seed=1))


def batch_of(rows, columns=32, entries=300, weights=None):
    chance = torch.Generator().manual_seed(3)
    ids = torch.randint(0, entries, (rows, columns + 1), generator=chance)
    return Batch(ids[:, :-1], ids[:, 1:], torch.ones(rows, columns) if weights is None else weights)


def optimization_of(model, **values):
    train = TrainConfig(steps=10, **values)
    schedule = Schedule("linear", 1e-2, 0.0, 0, 10)
    return Optimization(FastLoss(model), make_optimizer(model, train), schedule, 1.0, bf16=False)


def test_the_fast_forward_gives_transformers_logits(model):
    fast = FastLoss(model).eval()
    ids = batch_of(2).ids
    with torch.no_grad():
        expected, got = model(ids).logits, fast.logits(ids)
    assert (expected - got).abs().max() <= 1e-5 * expected.abs().max()


@pytest.mark.checklist(80)
def test_a_later_token_never_changes_what_was_said_of_earlier_ones(model):
    fast, ids = FastLoss(model).eval(), batch_of(1).ids
    other = ids.clone()
    other[0, 20:] = (other[0, 20:] + 7) % 300
    with torch.no_grad():
        for logits in (fast.logits, lambda given: model(given).logits):
            before, after = logits(ids), logits(other)
            assert torch.allclose(before[:, :20], after[:, :20], atol=1e-6)
            assert not torch.allclose(before[:, 20:], after[:, 20:], atol=1e-3)


@pytest.mark.checklist(8, 9, 10, 11, 81)
@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_the_network_has_the_layers_heads_width_and_dropout_of_its_settings(family, template):
    config = ModelConfig(family, layers=3, heads=2, kv_heads=2, hidden_size=32, dropout=0.5)
    network = build_model(config, template, seed=1)
    found = network.config
    assert (found.num_hidden_layers, found.num_attention_heads, found.hidden_size) == (3, 2, 32)
    fast, ids = FastLoss(lively(network)), batch_of(2).ids
    trained, again = fast.logits(ids), fast.logits(ids)
    assert (trained != again).any()  # dropout acts in training
    fast.eval()
    assert (fast.logits(ids) == fast.logits(ids)).all()  # and never in an answer


@pytest.mark.checklist(12)
def test_an_evaluation_looks_at_as_many_batches_as_it_is_told(split):
    for count in (1, 3):
        some = validation(split.packed, split.token_bytes, context=32, batch=2, batches=count)
        assert len(some.windows) == 2 * count < len(split.windows)


def test_long_contexts_take_the_fused_attention_and_give_the_same(template):
    config = ModelConfig(layers=1, heads=2, kv_heads=1, hidden_size=32, context=320)
    model = lively(build_model(config, template, seed=1)).eval()
    ids = batch_of(1, columns=300).ids
    with torch.no_grad():
        expected, got = model(ids).logits, FastLoss(model).logits(ids)
    assert (expected - got).abs().max() <= 1e-5 * expected.abs().max()


@pytest.mark.checklist(85)
def test_accumulation_equals_the_big_batch_also_with_uneven_masks(template):
    weights = torch.ones(4, 32)
    weights[0, 3:] = 0
    weights[3] = 0
    big = batch_of(4, weights=weights)
    parts = [
        Batch(big.ids[i : i + 1], big.targets[i : i + 1], weights[i : i + 1]) for i in range(4)
    ]
    results = []
    for batches in ([big], parts):
        model = lively(build_model(SHAPES["llama"], template, seed=1), scale=0.05)
        loss, norm = update(optimization_of(model), batches, 1e-3, 1)
        results.append((loss, norm, torch.cat([w.detach().ravel() for w in model.parameters()])))
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-5)
    assert results[0][1] == pytest.approx(results[1][1], rel=1e-4)
    assert torch.allclose(results[0][2], results[1][2], atol=1e-5)


@pytest.mark.checklist(392)
def test_targets_that_do_not_count_change_nothing(small):
    weights = torch.ones(2, 32)
    weights[:, 20:] = 0
    one = batch_of(2, weights=weights)
    other = Batch(one.ids, one.targets.clone(), weights)
    other.targets[:, 20:] = 5
    fast = FastLoss(small)
    sums = [fast(b.ids, b.targets, b.weights) for b in (one, other)]
    assert sums[0] == sums[1]
    losses = fast.token_losses(one.ids, one.targets)[:, :20]
    loss, _ = update(optimization_of(small), [one], 0.0, 1)
    assert loss == pytest.approx(float(losses.mean().detach()), rel=1e-5)


@pytest.mark.checklist(92)
def test_clipping_weight_decay_and_tying_are_what_they_say(small):
    assert small.lm_head.weight is small.model.embed_tokens.weight
    groups = make_optimizer(small, TrainConfig(steps=1, weight_decay=0.3)).param_groups
    assert [group["weight_decay"] for group in groups] == [0.3, 0.0]
    assert all(weight.dim() == 1 for weight in groups[1]["params"])
    optimization = optimization_of(small)
    _, norm = update(optimization, [batch_of(2)], 1e-3, 1)
    clipped = torch.stack([w.grad.norm() for w in small.parameters()]).norm()
    assert norm > 1.0
    assert float(clipped) == pytest.approx(1.0, rel=1e-3)


def test_a_loss_that_is_not_a_number_changes_no_weight(small):
    with torch.no_grad():
        small.model.norm.weight[0] = math.nan
    before = [weight.clone() for weight in small.parameters()]
    with pytest.raises(DivergedError, match="update 3"):
        update(optimization_of(small), [batch_of(1)], 1e-3, 3)
    for old, now in zip(before, small.parameters(), strict=True):
        assert torch.equal(old.nan_to_num(), now.detach().nan_to_num())


def test_a_validation_loss_far_above_its_best_stops_the_run():
    early_stopping = EarlyStopping(patience=10)
    assert early_stopping.observe(1, 3.0)
    assert not early_stopping.observe(2, 5.0)
    assert not early_stopping.observe(3, 5.5)
    with pytest.raises(DivergedError, match="far above"):
        early_stopping.observe(4, 6.0)


def test_patience_ends_a_run_that_gets_nowhere():
    early_stopping = EarlyStopping(patience=2)
    for step, loss in enumerate((3.0, 3.1, 3.2), start=1):
        early_stopping.observe(step, loss)
    assert early_stopping.is_due
    assert early_stopping.best_step == 1


@pytest.fixture
def split(template, talks, tmp_path):
    pack(template.encode_all(talks), tmp_path, vocab_size=512, context=32)
    lengths = token_bytes(template.tokenizer)
    return validation(open_packed(tmp_path), lengths, context=32, batch=4)


@pytest.mark.checklist(391)
def test_a_uniform_model_has_the_perplexity_of_its_vocabulary(template, talks, split):
    model = build_model(SHAPES["gpt2"], template, seed=1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
    figures = evaluate(FastLoss(model), split)
    entries = template.tokenizer.get_vocab_size()
    assert figures.perplexity == pytest.approx(entries, rel=1e-5)
    assert figures.bytes == sum(len(turn.text.encode()) for talk in talks for turn in talk.turns)
    assert figures.tokens == sum(len(template.encode(talk).ids) for talk in talks)
    bits = figures.tokens * math.log2(entries) / figures.bytes
    assert figures.bits_per_byte == pytest.approx(bits, rel=1e-5)


@pytest.mark.slow
@pytest.mark.checklist(392)
def test_the_validation_loss_is_the_mean_over_tokens_whatever_the_batch(small, split):
    fast = FastLoss(small)
    one = evaluate(fast, split)
    lone = validation(split.packed, split.token_bytes, context=32, batch=1)
    other = evaluate(fast, lone)
    assert one.loss == pytest.approx(other.loss, rel=1e-5)
    assert one.answer_loss == pytest.approx(other.answer_loss, rel=1e-5)
    assert fast.training


def figures_of(bits):
    return Figures(100, 400, 1.0, None, 50.0, bits)


def test_the_verdict_names_band_and_course():
    assert [band(figures_of(bits)) for bits in (0.5, 1.0, 2.0, 3.0)] == [
        "very low",
        "low",
        "fair",
        "high",
    ]
    over = LossCurve([(0, 6.0), (10, 3.0), (20, 3.5), (30, 4.0)])
    assert "overfits since update 10" in verdict(figures_of(1.0), over)
    worse = verdict(figures_of(1.0), LossCurve([(0, 3.0), (10, 3.4), (20, 3.5)]))
    assert "It got worse than what it began with: lower the learning rate." in worse
    assert "overfits" not in worse
    flat = LossCurve([(0, 6.0), (10, 5.95), (20, 5.94)])
    assert "flat" in verdict(figures_of(3.0), flat)


def test_cached_generation_gives_the_ids_of_the_whole_forward(model):
    prompt = batch_of(1, columns=8).ids[0].tolist()
    (answer,) = generate(model, [Wanted(prompt, 10)], stop=())
    ids = list(prompt)
    with torch.no_grad():
        for number in answer:
            assert int(model.eval()(torch.tensor([ids])).logits[0, -1].argmax()) == number
            ids.append(number)
    assert len(answer) == 10


def test_generation_stops_at_a_stop_id_and_at_the_context(small):
    prompt = batch_of(1, columns=8).ids[0].tolist()
    (answer,) = generate(small, [Wanted(prompt, 100)], stop=())
    assert len(answer) == 32 - 8
    (stopped,) = generate(small, [Wanted(prompt, 100)], stop={answer[4]})
    assert stopped == answer[: answer.index(answer[4])]


def test_a_validation_question_is_answered_in_plain_text(small, template, talks):
    question = question_of(talks[0])
    assert question.reference == talks[0].turns[1].text
    assert isinstance(replies(small, template, [question])[0], str)


def test_a_system_prompt_alone_is_no_question():
    turns = [Turn(SYSTEM, "Be kind."), Turn(ASSISTANT, "Hello!"), Turn(USER, "Hi, where is it?")]
    question = question_of(Conversation((*turns, Turn(ASSISTANT, "Here."))))
    assert (question.text, question.reference) == ("Hi, where is it?", "Here.")
    assert question_of(Conversation(tuple(turns[:2]))) is None


@pytest.mark.checklist(87)
def test_a_checkpoint_comes_back_to_the_bit(small, template, tmp_path):
    optimization = optimization_of(small)
    for step in (1, 2):
        update(optimization, [batch_of(2)], 1e-3, step)
    progress = ResumeState(2, 3.25, 1, 1, 0, [(0, 6.1), (1, 3.25)])
    write_checkpoint(tmp_path / "c", small, optimization.optimizer, progress)
    drawn = (torch.rand(3), np.random.rand(3))
    other = build_model(SHAPES["llama"], template, seed=9)
    fresh = optimization_of(other)
    assert read_checkpoint(tmp_path / "c", other, fresh.optimizer) == progress
    assert torch.equal(drawn[0], torch.rand(3))
    assert (drawn[1] == np.random.rand(3)).all()
    for m in (optimization, fresh):
        update(m, [batch_of(3)], 1e-3, 3)
    pairs = zip(small.parameters(), other.parameters(), strict=True)
    assert all(torch.equal(one, two) for one, two in pairs)


@pytest.mark.parametrize("damage", ["truncate", "remove", "schema"])
def test_a_damaged_checkpoint_is_refused_in_a_sentence(small, tmp_path, damage):
    folder = tmp_path / "c"
    write_checkpoint(folder, small, optimization_of(small).optimizer, ResumeState(1))
    assert verify_checkpoint(folder) == 1
    if damage == "truncate":
        (folder / "model.safetensors").write_bytes(b"short")
    elif damage == "remove":
        (folder / "optimizer.safetensors").unlink()
    else:
        manifest = folder / "manifest.json"
        manifest.write_text(manifest.read_text().replace('"schema": 1', '"schema": 99'))
    with pytest.raises(CheckpointError):
        verify_checkpoint(folder)


def test_a_checkpoint_holds_no_pickle(small, tmp_path):
    write_checkpoint(tmp_path, small, optimization_of(small).optimizer, ResumeState(1))
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"manifest.json", "model.safetensors", "optimizer.safetensors", "state.json"}


def test_a_sample_answer_may_be_as_long_as_the_real_one_in_the_tokens_of_the_model(monkeypatch):
    """A model of single bytes writes a letter where others write a word."""
    template = OttoTemplate.of(bytes_only(["x"], 0).tokenizer)
    config = ModelConfig(layers=1, heads=2, kv_heads=2, hidden_size=32, context=256)
    model = build_model(config, template, seed=1)
    limits = []
    monkeypatch.setattr(
        "training_app.lm.replies.generate",
        lambda model, prompts, *, stop: limits.extend(one.limit for one in prompts) or [],
    )
    asked = (Turn(USER, "Where is it?"),)
    real = ("On its way.", 100 * "a", 1_000 * "a")
    replies(model, template, [Question(asked, "Where is it?", one) for one in real])
    assert limits == [64, 150, 512]


@pytest.mark.checklist(111, 179, 416)
def test_a_device_is_taken_as_it_is_wished_or_refused_in_a_sentence(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert [pick_device(wish).type for wish in ("auto", "cpu", "cuda")] == ["cuda", "cpu", "cuda"]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device().type == "cpu"
    with pytest.raises(TrainingError, match="PyTorch finds no GPU"):
        pick_device("cuda")
