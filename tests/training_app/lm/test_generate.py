"""Many prompts at a time get the very ids that each gets alone, in every family."""

from __future__ import annotations

import pytest
import torch
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from training_app.lm import generate as module
from training_app.lm.copied_numbers import CopiedNumbers, DigitTokens
from training_app.lm.generate import Wanted, generate

SIZES = {"vocab_size": 97, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
COMMON = {"num_key_value_heads": 2, "intermediate_size": 64, "max_position_embeddings": 64}


def network(family):
    torch.manual_seed(5)
    if family == "llama":
        model = LlamaForCausalLM(LlamaConfig(**SIZES, **COMMON))
    elif family == "qwen2":
        model = Qwen2ForCausalLM(Qwen2Config(**SIZES, **COMMON))
    else:
        model = GPT2LMHeadModel(
            GPT2Config(vocab_size=97, n_embd=32, n_layer=2, n_head=4, n_positions=64)
        )
    with torch.no_grad():  # far from even, so that the likeliest id has no close rival
        for weights in model.parameters():
            weights.mul_(6 if weights.ndim > 1 else 1)
    return model


def prompts(*lengths, limit=20):
    torch.manual_seed(9)
    return [Wanted(torch.randint(1, 97, (length,)).tolist(), limit) for length in lengths]


@pytest.mark.slow
@pytest.mark.parametrize("family", ["llama", "gpt2", "qwen2"])
def test_together_each_prompt_gets_the_ids_that_it_gets_alone(family, monkeypatch):
    model = network(family)
    asked = prompts(3, 40, 17, 9, 9, 31, 1, 55, 24)
    alone = [generate(model, [one], stop=())[0] for one in asked]
    assert [len(one) for one in alone] == [20] * 7 + [9, 20]  # the context ends one of them
    stop = {alone[0][3], alone[1][6]}
    ended = [generate(model, [one], stop=stop)[0] for one in asked]
    assert len({len(one) for one in ended}) > 2  # they end at different times
    for at_once, tokens in ((16, 8_192), (4, 8_192), (16, 100)):
        monkeypatch.setattr(module, "AT_ONCE", at_once)
        monkeypatch.setattr(module, "MOST_TOKENS_AT_ONCE", tokens)
        assert generate(model, asked, stop=()) == alone
        assert generate(model, asked, stop=stop) == ended


def test_each_answer_has_its_own_limit_and_a_full_context_leaves_none():
    model = network("llama")
    ten, none, full = prompts(5, 6, 64)
    found = generate(model, [Wanted(ten.ids, 10), Wanted(none.ids, 0), full], stop=())
    assert [len(one) for one in found] == [10, 0, 0]
    assert generate(model, [], stop=()) == []


def test_prompts_of_one_batch_are_about_as_long_and_not_too_many_tokens(monkeypatch):
    seen = []
    model = network("llama")
    forward = model.forward

    def watched(*args, **kwargs):
        if kwargs["past_key_values"] is None:
            seen.append(tuple(kwargs["input_ids"].shape))
        return forward(*args, **kwargs)

    model.forward = watched
    monkeypatch.setattr(module, "AT_ONCE", 3)
    monkeypatch.setattr(module, "MOST_TOKENS_AT_ONCE", 59)
    generate(model, prompts(30, 4, 32, 5, 31, 6, 7, limit=1), stop=())
    assert seen == [(3, 6), (1, 7), (1, 30), (1, 31), (1, 32)]


@pytest.mark.slow
def test_numbers_are_copied_beside_an_answer_that_is_free():
    model, digits = network("llama"), DigitTokens({n: str(n % 10) for n in range(90)}, frozenset())
    free, *_ = prompts(9, limit=40)
    bound = Wanted(free.ids, 40, CopiedNumbers(digits, "7 of 42"))
    alone, copied = generate(model, [free, bound], stop=())
    assert alone == generate(model, [free], stop=())[0]
    signs = "".join(digits.texts.get(number, " ") for number in copied)
    assert set(signs.split()) <= {"7", "42", "4"}
    assert set(signs.split()[:-1]) <= {"7", "42"}
    assert sum(number < 90 for number in alone) > 20
