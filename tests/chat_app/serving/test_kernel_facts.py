"""What the engine relies on in the attention kernel; run again at each onnxruntime version."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from chat_app.serving.errors import BrokenModelError
from chat_app.serving.graph import build_graph
from chat_app.serving.session import Session, chunk_bounds
from tests.chat_app.serving.toys import blur, gpt2, llama
from training_app.lm.served_shape import UnservableError

VOCAB = 97
FAMILIES = {"gpt2": gpt2, "llama": llama}


def config_and_tensors(model):
    config = model.config.to_dict() | {"architectures": [type(model).__name__]}
    tensors = {name: part.detach().numpy() for name, part in model.state_dict().items()}
    return config, tensors


def session_of(model, precision="fp32", **options):
    graph = build_graph(*config_and_tensors(model), precision)
    return Session(graph.SerializeToString(), **options)


def toy(family, **changes):
    torch.manual_seed(3)
    model = FAMILIES[family](VOCAB, **changes).eval()
    blur(model)
    return model


def prompt_of(length, seed=0):
    return np.random.default_rng(seed).integers(0, VOCAB, length).tolist()


@pytest.mark.parametrize("precision", ["fp32", "row-int8"])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_row_in_a_batch_has_the_bits_of_the_row_alone(family, threads, precision):
    session = session_of(toy(family), precision, slots=16, threads=threads)
    prompts = [prompt_of(3 + 13 * row % 200, row) for row in range(16)]
    for row, prompt in enumerate(prompts):
        session.read_prompt(row, prompt, 64)
    past = [len(prompt) for prompt in prompts]
    together = session.decode((0, 16), list(range(16)), past).logits.copy()
    for row in range(16):
        alone = session.decode((row, row + 1), [row], [past[row]]).logits
        assert np.array_equal(alone[0], together[row])


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_the_size_of_the_chunks_does_not_change_a_bit(family):
    session = session_of(toy(family), slots=1)
    for length in (2, 5, 16, 17, 32, 33, 41, 64, 65, 66, 97, 129, 200, 225, 256):
        prompt = prompt_of(length)
        whole = session.read_prompt(0, prompt, 1000).logits.copy()
        for chunk in (4, 7, 16, 17, 33, 64, 100, 128):
            assert np.array_equal(session.read_prompt(0, prompt, chunk).logits, whole)


@pytest.mark.parametrize("tile", [16, 32, 128])
def test_no_token_is_alone_in_a_call_or_in_a_tile(tile):
    for length in range(2, 300):
        for chunk in (4, 5, 16, 33, 64, 100, 512):
            bounds = chunk_bounds(length, chunk, tile)
            sizes = [end - start for start, end in bounds]
            assert sum(sizes) == length
            assert all(size % tile != 1 and size > 1 for size in sizes)
    assert chunk_bounds(1, 16, tile) == [(0, 1)]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_row_outside_the_call_stays_untouched(family):
    session = session_of(toy(family), slots=4)
    for row in range(4):
        session.read_prompt(row, prompt_of(11, row), 64)
    before = {name: buffer[3].copy() for name, buffer in session.cache.buffers.items()}
    session.decode((0, 3), [1, 2, 3], [11, 11, 11])
    for name, buffer in session.cache.buffers.items():
        assert np.array_equal(buffer[3], before[name])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_row_moved_to_another_slot_goes_on_with_the_same_bits(family):
    session = session_of(toy(family), slots=4)
    session.read_prompt(3, prompt_of(30), 64)
    here = session.decode((3, 4), [5], [30]).logits.copy()
    session.cache.copy(3, 0, 30)
    assert np.array_equal(session.decode((0, 1), [5], [30]).logits, here)


def test_keys_are_written_in_place():
    session = session_of(toy("llama"), slots=2)
    session.prefill(1, prompt_of(9), 0)
    for buffer in session.cache.buffers.values():
        assert not buffer[0].any()
        assert buffer[1, :, :9].any()
        assert not buffer[1, :, 9:].any()


@pytest.mark.parametrize("family", FAMILIES)
def test_ranked_scores_are_sorted_and_ties_come_lowest_id_first(family):
    scores = session_of(toy(family), slots=1).prefill(0, prompt_of(20), 0)
    order = np.lexsort((np.arange(VOCAB), -scores.logits[0]))
    assert np.array_equal(scores.top_ids[0], order)
    assert np.array_equal(scores.top_values[0], scores.logits[0][order])


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
def test_a_long_past_changes_no_bit_while_threads_are_at_most_the_heads(threads):
    model = toy("gpt2", n_embd=128, n_head=2, n_layer=1, n_positions=1200)
    session = session_of(model, slots=2, threads=threads)
    for length in (129, 513, 700, 1025):
        prompt = prompt_of(length)
        whole = session.read_prompt(0, prompt, 2000).logits.copy()
        for chunk in (16, 64, 256):
            assert np.array_equal(session.read_prompt(0, prompt, chunk).logits, whole)
        session.read_prompt(1, prompt_of(800), 256)
        alone = session.decode((0, 1), [1], [length]).logits.copy()
        assert np.array_equal(session.decode((0, 2), [1, 2], [length, 800]).logits[0], alone[0])


def test_more_threads_than_heads_are_refused():
    with pytest.raises(ValueError, match="heads"):
        session_of(toy("gpt2", n_head=1, n_embd=32), threads=2)


def test_a_file_that_is_no_graph_is_refused_with_a_sentence(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"not a graph")
    with pytest.raises(BrokenModelError, match="cannot be loaded"):
        Session(path)


@pytest.mark.parametrize(
    ("family", "changes", "sentence"),
    [
        ("gpt2", {"n_embd": 48}, "12 wide; serving needs a multiple of 8"),
        ("llama", {"hidden_size": 96}, "24 wide; serving needs a multiple of 16"),
        ("gpt2", {"activation_function": "relu"}, "activation function relu"),
        ("llama", {"hidden_act": "gelu"}, "activation function gelu"),
        ("gpt2", {"scale_attn_by_inverse_layer_idx": True}, "layer's number"),
        ("llama", {"rope_scaling": {"rope_type": "dynamic", "factor": 2.0}}, "kind dynamic"),
    ],
)
def test_what_cannot_be_served_is_refused_with_a_sentence(family, changes, sentence):
    with pytest.raises(UnservableError, match=sentence):
        build_graph(*config_and_tensors(toy(family, **changes)), "fp32")


def test_an_unknown_architecture_and_an_unknown_part_are_refused():
    config, tensors = config_and_tensors(toy("llama"))
    with pytest.raises(UnservableError, match="Gemma cannot be served"):
        build_graph(config | {"architectures": ["Gemma"]}, tensors, "fp32")
    name = "model.layers.0.self_attn.q_norm.weight"
    with pytest.raises(UnservableError, match="q_norm"):
        build_graph(config, tensors | {name: np.ones(16, np.float32)}, "fp32")


@pytest.mark.parametrize(
    ("family", "changes"),
    [
        ("gpt2", {"tie_word_embeddings": False, "n_embd": 64}),
        ("gpt2", {"n_inner": 100, "layer_norm_epsilon": 1e-3}),
        ("llama", {"tie_word_embeddings": False, "rms_norm_eps": 1e-3}),
        ("llama", {"attention_bias": True, "mlp_bias": True}),
        ("llama", {"num_key_value_heads": 4, "rope_theta": 500_000.0}),
        ("llama", {"head_dim": 32}),
        ("llama", {"rope_scaling": {"rope_type": "linear", "factor": 4.0}}),
        (
            "llama",
            {
                "rope_scaling": {
                    "rope_type": "llama3",
                    "factor": 8.0,
                    "low_freq_factor": 1.0,
                    "high_freq_factor": 4.0,
                    "original_max_position_embeddings": 64,
                }
            },
        ),
    ],
)
def test_every_servable_variant_gives_the_scores_of_torch(family, changes):
    model = toy(family, **changes)
    session = session_of(model, slots=1)
    for length in (5, 200):
        prompt = prompt_of(length)
        with torch.inference_mode():
            wanted = model(torch.tensor([prompt])).logits[0, -1].numpy()
        ours = session.read_prompt(0, prompt, 64).logits[0]
        assert np.abs(ours - wanted).max() / np.abs(wanted).max() < 1e-5


@pytest.mark.parametrize("spin", [False, True])
def test_idle_threads_never_spin_between_two_calls(spin):
    options = session_of(toy("llama"), spin=spin)._session.get_session_options()
    assert options.get_session_config_entry("session.force_spinning_stop") == "1"
    spinning = options.get_session_config_entry("session.intra_op.allow_spinning")
    assert spinning == str(int(spin))


def test_what_nobody_chose_does_not_spin():
    options = session_of(toy("llama"))._session.get_session_options()
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
