from __future__ import annotations

import math
import shutil

import numpy as np
import onnx
import pytest
import torch
from transformers import AutoModelForCausalLM

from chat_app.serving.errors import ServingError
from chat_app.serving.gate import LONGEST, Gate, weigh_int8
from chat_app.serving.graph import Graph
from chat_app.serving.graph_files import graph_path
from datasets_app.corpus.conversation import ASSISTANT, USER, Conversation, Turn
from tests.chat_app.serving.toys import CHATS
from training_app.lm.template import Template


@pytest.fixture(scope="module")
def exchanges(trained_folder):
    template = Template.open(trained_folder)
    found = []
    for question, answer in CHATS * 3:
        ask = Turn(USER, question)
        encoded = template.encode(Conversation((ask, Turn(ASSISTANT, answer))))
        assert template.decode(encoded.last_answer) == answer
        found.append((template.prompt([ask]).ids, encoded.last_answer))
    return found


@pytest.mark.slow
def test_the_perplexity_is_that_of_torch(trained_folder, exchanges):
    gate = weigh_int8(trained_folder, exchanges)
    model = AutoModelForCausalLM.from_pretrained(trained_folder)
    losses = []
    for prompt, reply in exchanges:
        wanted = reply[:LONGEST]
        with torch.inference_mode():
            logits = model(torch.tensor([[*prompt, *wanted]])).logits[0, len(prompt) - 1 : -1]
        losses.append(
            torch.nn.functional.cross_entropy(logits, torch.tensor(wanted), reduction="none")
        )
    assert gate.perplexity_fp32 == pytest.approx(math.exp(torch.cat(losses).mean()), rel=1e-4)
    assert gate.tokens == sum(len(reply[:LONGEST]) for _, reply in exchanges)
    assert gate.replies == len(exchanges)


def test_int8_of_a_trained_model_keeps_its_words(trained_folder, exchanges):
    gate = weigh_int8(trained_folder, exchanges)
    assert gate.agreement >= 0.98
    assert abs(gate.perplexity_change) < 0.05
    exact, small = (graph_path(trained_folder, name) for name in ("fp32", "row-int8"))
    assert small.stat().st_size < exact.stat().st_size


def test_damaged_scales_are_rejected(trained_folder, exchanges, tmp_path):
    folder = shutil.copytree(trained_folder, tmp_path / "model")
    model = onnx.load(graph_path(folder, "row-int8"))
    for part in model.graph.initializer:
        values = onnx.numpy_helper.to_array(part)
        if values.dtype == np.float32 and values.ndim == 1 and part.name != "tokens":
            part.CopyFrom(onnx.numpy_helper.from_array(values * np.float32(1.2), part.name))
    onnx.save_model(model, str(graph_path(folder, "row-int8")))
    assert not weigh_int8(folder, exchanges).is_open


def test_exchanges_that_hold_nothing_to_compare_are_a_sentence(trained_folder):
    for exchanges in ([], [([5, 6], [])], [([5], [6, 7])]):
        with pytest.raises(ServingError, match=r"no validation reply"):
            weigh_int8(trained_folder, exchanges)


def test_scales_that_blow_up_shut_the_gate(trained_folder, exchanges, tmp_path):
    folder = shutil.copytree(trained_folder, tmp_path / "model")
    model = onnx.load(graph_path(folder, "row-int8"))
    sizes = [part for part in model.graph.initializer if len(part.dims) == 1]
    head = max(sizes, key=lambda part: part.dims[0])  # one scale for each entry of the vocabulary
    values = onnx.numpy_helper.to_array(head) * np.float32(-1e6)
    head.CopyFrom(onnx.numpy_helper.from_array(values, head.name))
    onnx.save_model(model, str(graph_path(folder, "row-int8")))
    gate = weigh_int8(folder, exchanges)
    assert gate.perplexity_int8 == math.inf
    assert not gate.is_open


def test_a_matrix_with_a_column_of_zeros_stays_one():
    weight = np.zeros((4, 3), np.float32)
    weight[:, 1] = [1, -2, 3, -4]
    graph = Graph(shape=None, weights={}, precision="row-int8")
    graph.int8_matmul("x", weight)
    arrays = [onnx.numpy_helper.to_array(part) for part in graph.constants]
    assert all(np.isfinite(array).all() for array in arrays)
    (matrix,) = [array for array in arrays if array.shape == weight.shape]
    assert matrix[:, [0, 2]].tolist() == [[0, 0]] * 4


def test_the_gate_needs_both_figures():
    assert Gate(9, 100, 10.0, 10.05, 0.99).is_open
    assert not Gate(9, 100, 10.0, 10.2, 0.99).is_open
    assert not Gate(9, 100, 10.0, 10.0, 0.97).is_open
    assert "99.0%" in Gate(9, 100, 10.0, 10.05, 0.99).sentence()
