from __future__ import annotations

import json

import numpy as np
import onnx
import pytest

from chat_app.serving.graph_files import graph_path
from chat_app.serving.parity import calibrate, check_parity


def prompts(count=10, vocab=300):
    rng = np.random.default_rng(4)
    return [rng.integers(0, vocab, length).tolist() for length in range(2, 2 + 9 * count, 9)]


@pytest.mark.slow
@pytest.mark.checklist(200)
@pytest.mark.parametrize("folder", ["gpt2_folder", "trained_folder"])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_serving_graph_answers_as_torch_does(folder, threads, request):
    parity = check_parity(request.getfixturevalue(folder), "fp32", prompts(), threads=threads)
    assert parity.passes, parity.sentence()
    assert parity.tokens == 640
    assert parity.largest_error < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["gpt2_folder", "trained_folder"])
def test_int8_is_close_and_independent_of_neighbours(folder, request):
    parity = check_parity(request.getfixturevalue(folder), "row-int8", prompts())
    assert parity.is_repeatable
    assert parity.largest_error < 0.2


@pytest.mark.checklist(200)
def test_a_damaged_graph_does_not_pass(trained_folder, tmp_path):
    folder = tmp_path / "damaged"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_bytes((trained_folder / name).read_bytes())
    model = onnx.load(graph_path(trained_folder, "fp32"))
    table = next(part for part in model.graph.initializer if part.name == "tokens")
    values = onnx.numpy_helper.to_array(table).copy()
    table.raw_data = (values * np.float32(1.01)).tobytes()
    graph_path(folder, "fp32").parent.mkdir()
    onnx.save_model(model, str(graph_path(folder, "fp32")))
    parity = check_parity(folder, "fp32", prompts(3))
    assert not parity.passes
    assert "scores differ" in parity.sentence()


def test_the_files_stay_in_the_folder_beside_the_model(trained_folder):
    names = {path.name for path in (trained_folder / "serving").iterdir()}
    assert names == {"model.onnx", "model.int8.onnx"}
    assert json.loads((trained_folder / "config.json").read_text())["model_type"] == "llama"


def test_calibration_measures_writing_and_reading(trained_folder):
    figures = calibrate(graph_path(trained_folder, "fp32"), seconds=0.01)
    assert set(figures) == {"decode_1", "decode_4", "decode_8", "prefill"}
    assert all(figure > 0 for figure in figures.values())
