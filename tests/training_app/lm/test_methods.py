"""Methods and optimizers: what trains, that a resume gives the same bits, what is published."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from training_app.lm.config import DataConfig, ModelConfig
from training_app.lm.contract import Start
from training_app.lm.driver import train_run
from training_app.lm.fast import FastLoss
from training_app.lm.folder import open_model, open_network, verify_model, write_model
from training_app.lm.methods.lora import LoraLinear
from training_app.lm.methods.registry import METHODS
from training_app.lm.model import build_model, grow_vocabulary
from training_app.lm.optimizers.registry import OPTIMIZERS, newton_schulz
from training_app.lm.tokenizer import with_control_tokens
from training_app.lm.tokenizer_kinds import TOKENIZERS
from training_app.lm.trainable import make_optimizer, make_ordinary, make_trainable

SHAPES = {
    "llama": ModelConfig(layers=3, heads=2, kv_heads=1, hidden_size=32, context=32),
    "gpt2": ModelConfig("gpt2", 3, 2, 2, 32, 32, tie_word_embeddings=False),
}
STARTED = [name for name, method in METHODS.items() if method.is_started]

pytestmark = pytest.mark.usefixtures("quick_trial")


def never():
    return None


def stop_after(steps, diary):
    calls = count()
    return lambda: "drain" if "training" in diary.phases and next(calls) >= steps else None


@pytest.fixture(params=SHAPES)
def network(request, template):
    """A network that has learned something: no weight is zero any more."""
    model = build_model(SHAPES[request.param], template, seed=1)
    torch.manual_seed(3)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.1)
    return model


@pytest.fixture
def base(network, template, tmp_path):
    write_model(tmp_path / "base", network, template, {})
    return tmp_path / "base"


def started(spec, method, **train):
    short = {"steps": 6, "eval_every": 6, "checkpoint_every": 2, "learning_rate": 1e-3}
    spec = replace(spec, train=replace(spec.train, **(short | {"lora_rank": 4} | train)))
    return spec if method == "scratch" else spec.started("the base", method)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("method", STARTED)
def test_a_resume_gives_the_same_bits_and_the_folder_is_an_ordinary_one(
    method, optimizer, spec, data, base, tmp_path, diary_of
):
    spec = started(spec, method, optimizer=optimizer)
    whole = train_run(spec, data, tmp_path / "a", diary_of(tmp_path / "ca"), never, Start(base))
    first = diary_of(tmp_path / "cb")
    stop = stop_after(4, first)
    assert train_run(spec, data, tmp_path / "b", first, stop, Start(base)).step == 4
    again = Start(base, checkpoints=first.newest_first(), decided=first.facts)
    resumed = train_run(spec, data, tmp_path / "b", diary_of(tmp_path / "cc"), never, again)
    expected, got, before = (
        load_file(folder / "model.safetensors") for folder in (whole.folder, resumed.folder, base)
    )
    assert all(torch.equal(expected[name], got[name]) for name in expected)
    assert {n: w.shape for n, w in expected.items()} == {n: w.shape for n, w in before.items()}
    assert any(not torch.equal(expected[name], before[name]) for name in before)
    assert whole.manifest["optimizer"] == OPTIMIZERS[optimizer].label
    assert verify_model(whole.folder)["spec"]["method"] == method
    open_model(whole.folder)


@pytest.mark.slow
def test_muon_from_scratch_learns_and_resumes_bit_for_bit(spec, data, tmp_path, diary_of):
    spec = started(spec, "scratch", optimizer="muon", steps=16, learning_rate=5e-3)
    diary, first = diary_of(tmp_path / "ca"), diary_of(tmp_path / "cb")
    whole = train_run(spec, data, tmp_path / "a", diary, never)
    assert diary.curve["train/loss", 16] < 0.9 * diary.curve["train/loss", 1]
    train_run(spec, data, tmp_path / "b", first, stop_after(9, first))
    start = Start(checkpoints=first.newest_first(), decided=first.facts)
    resumed = train_run(spec, data, tmp_path / "b", diary_of(tmp_path / "cc"), never, start)
    expected, got = (load_file(one.folder / "model.safetensors") for one in (whole, resumed))
    assert all(torch.equal(expected[name], got[name]) for name in expected)


@pytest.mark.parametrize("method", METHODS)
def test_as_many_weights_train_as_the_forecast_says(method, network, spec):
    spec, config = started(spec, method), network.config
    shape = next(one for one in SHAPES.values() if one.family == config.model_type)
    make_trainable(network, spec)
    trained = [weight for weight in network.parameters() if weight.requires_grad]
    sizes = replace(shape, vocab_size=config.vocab_size)
    assert sum(w.numel() for w in trained) == METHODS[method].trained(sizes, 4)
    blocks = [w for name, w in network.named_parameters() if any(map(str.isdigit, name.split(".")))]
    matrices = [w for w in blocks if w.requires_grad and w.dim() == 2]
    expected = METHODS[method].matrices(sizes, 4)
    assert len(matrices) == len(expected)
    assert sum(w.numel() for w in matrices) == sum(inner * outer for inner, outer in expected)
    groups = make_optimizer(network, spec.train).param_groups
    assert {id(w) for group in groups for w in group["params"]} == {id(w) for w in trained}


@pytest.mark.slow
def test_the_upper_half_leaves_what_is_below_as_it_is(spec, data, base, tmp_path, diary):
    spec = started(spec, "upper_half")
    result = train_run(spec, data, tmp_path / "w", diary, never, Start(base))
    before, after = (load_file(one / "model.safetensors") for one in (base, result.folder))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    layers = {part for name in changed for part in name.split(".") if part.isdigit()}
    assert layers == {"1", "2"}
    assert {name for name in changed if not set(name.split(".")) & {"1", "2"}} <= {
        *("model.norm.weight", "transformer.ln_f.weight", "transformer.ln_f.bias")
    }


@pytest.mark.checklist(345)
def test_merged_adapters_compute_what_they_computed_beside_the_model(network, spec):
    ids = torch.randint(0, 300, (2, 20))
    make_trainable(network, started(spec, "lora"))
    adapters = [part for part in network.modules() if isinstance(part, LoraLinear)]
    for adapter in adapters:
        torch.nn.init.normal_(adapter.up, std=0.3)
    network.eval()
    with torch.no_grad():
        beside, fast = network(ids).logits, FastLoss(network).logits(ids)
        make_ordinary(network)
        merged = network(ids).logits
    scale = beside.abs().max()
    assert (fast - beside).abs().max() < 1e-4 * scale
    assert (merged - beside).abs().max() < 1e-4 * scale
    assert not any(isinstance(part, LoraLinear) for part in network.modules())
    assert len(adapters) == 3 * len(SHAPES[network.config.model_type].block_matrices)


def foreign_tokenizer():
    alphabet = {char: n for n, char in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(alphabet, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


@pytest.mark.slow
@pytest.mark.parametrize("method", ["lora", "upper_half"])
def test_control_tokens_that_a_model_never_saw_are_learned_too(
    method, spec, data, base, tmp_path, diary
):
    """Else it could neither take turns nor end an answer."""
    foreign = foreign_tokenizer()
    foreign.save(str(base / "tokenizer.json"))
    model = open_network(base)
    model.resize_token_embeddings(foreign.get_vocab_size())
    model.save_pretrained(base, safe_serialization=True)
    result = train_run(started(spec, method), data, tmp_path / "w", diary, never, Start(base))
    assert any("control tokens were added" in note for note in diary.notes)
    before, after = (load_file(one / "model.safetensors") for one in (base, result.folder))
    (table,) = [name for name in before if name.endswith(("embed_tokens.weight", "wte.weight"))]
    rows = len(before[table])
    assert len(after[table]) == rows + with_control_tokens(foreign_tokenizer())
    early, late = (load_file(one / "model.safetensors") for one in diary.newest_first()[::-1][:2])
    for name in before:
        if name == table or name.startswith("lm_head"):
            assert torch.equal(before[name], after[name][:rows]), "what it knew has changed"
            assert not torch.equal(early[name][rows:], late[name][rows:]), "the new ones learn not"


@pytest.mark.slow
@pytest.mark.checklist(72, 73)
@pytest.mark.parametrize("kind", TOKENIZERS)
def test_every_tokenizer_trains_a_model_that_reads_any_text(kind, spec, data, tmp_path, diary):
    spec = replace(started(spec, "scratch"), data=DataConfig(tokenizer=kind))
    result = train_run(spec, data, tmp_path / "w", diary, never)
    model, template = open_model(result.folder)
    text = "ünïcödé 👋 \u0000 <|end|>"
    assert template.decode(template.text_ids(text)) == text
    texts = sum(len(turn.text.encode()) for talk in data.train for turn in talk.turns)
    assert model.config.vocab_size == template.tokenizer.get_vocab_size()
    about = TOKENIZERS[kind].entries(spec.model.vocab_size, texts)
    assert 0.8 * about <= model.config.vocab_size <= about


@pytest.mark.parametrize("registry", [METHODS, OPTIMIZERS, TOKENIZERS])
def test_every_choice_has_words_and_its_function(registry):
    for choice in registry.values():
        assert choice.label
        assert choice.sentence[-1] != "."
        assert callable(choice.load())


def test_the_vocabulary_grows_only_upwards(network):
    entries = network.config.vocab_size
    grow_vocabulary(network, entries - 5)
    assert network.config.vocab_size == entries


def test_muons_own_work_is_five_times_three_products():
    assert newton_schulz([(2, 3)]) == 5 * (2 * 2 * 2 * 3 + 2 * 2 * 2 * 2 + 2 * 2 * 2 * 3)
