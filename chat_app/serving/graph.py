"""The serving graph: a decoder built straight from its weights, never traced.

One call appends tokens to rows of different lengths. Keys and values are read and written in
place by GroupQueryAttention, so each row pays for its own length and nothing is padded or copied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from chat_app.serving.graph_files import Precision
from chat_app.serving.weights import Array, Weights, arrange_weights, rope_tables
from training_app.lm.served_shape import ModelShape, shape_of

Dims = Sequence[int | str]

SMALLEST_MAXIMUM = 1e-8  # keeps an all-zero activation row from dividing by zero
TOKENS = "tokens"  # the name of the table that a tied head shares
TOP_COUNT = 256  # beyond these the sampler goes back to all logits; chosen by hand
EXTERNAL_DATA_BYTES = 1_500_000_000  # protobuf stops at 2 GB; the margin is chosen by hand


@dataclass(slots=True)
class Graph:
    """Collects nodes, constants, inputs and outputs; values are referred to by name."""

    shape: ModelShape
    weights: Weights
    precision: Precision
    nodes: list[NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)
    inputs: list[ValueInfoProto] = field(default_factory=list)
    outputs: list[ValueInfoProto] = field(default_factory=list)
    quantised: dict[str, tuple[str, str]] = field(default_factory=dict)

    def constant(self, values: Array) -> str:
        """Add an array of any shape, such as (in, out), and return its name."""
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add an operator with one output and return the output's name."""
        name = f"value{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], domain=domain, **attributes))
        return name

    def add_input(self, name: str, kind: int, dims: Dims) -> None:
        """Declare an input; a word among `dims` is a size that each call chooses."""
        self.inputs.append(helper.make_tensor_value_info(name, kind, dims))

    def add_output(self, name: str, dims: Dims, kind: int = TensorProto.FLOAT) -> None:
        """Declare an output that a node of this name makes."""
        self.outputs.append(helper.make_tensor_value_info(name, kind, dims))

    def linear(self, x: str, name: str) -> str:
        """Add x @ W, and a bias where the layer has one: (..., in) -> (..., out)."""
        weight = self.weights[name]
        if self.precision == "fp32":
            y = self.node("MatMul", x, self.constant(weight))
        else:
            y = self.int8_matmul(x, weight)
        bias = self.weights.get(f"{name}.bias")
        return y if bias is None else self.node("Add", y, self.constant(bias))

    def int8_matmul(self, x: str, weight: Array) -> str:
        """Add x @ W in int8: (..., in) with a weight of (in, out) -> (..., out) in fp32.

        Each token of x and each column of W is scaled by its own largest absolute value to
        -127..127 (vector-wise quantisation, Dettmers et al. 2022, section 3.1, without its outlier
        part), so no row's result depends on its neighbours.
        """
        x_uint8, size = self._quantised(x)
        weight_int8, column_scale = quantise(weight, axis=0)
        zero = self.constant(np.array(128, np.uint8))
        y = self.node("MatMulInteger", x_uint8, self.constant(weight_int8), zero)
        y = self.node("Cast", y, to=TensorProto.FLOAT)
        y = self.node("Mul", y, self.constant(column_scale[0] / np.float32(127)))
        return self.node("Mul", y, size)

    def _quantised(self, x: str) -> tuple[str, str]:
        """Return x in uint8, and each token's size; once for all layers that read the same x.

        It is shifted by 128, since the kernel wants it unsigned.
        """
        if x not in self.quantised:
            size = self.node("ReduceMax", self.node("Abs", x), self.constant(np.array([-1])))
            size = self.node("Max", size, self.constant(np.array(SMALLEST_MAXIMUM, np.float32)))
            unit = self.constant(np.array(1 / 127, np.float32))
            zero = self.constant(np.array(128, np.uint8))
            x_uint8 = self.node("QuantizeLinear", self.node("Div", x, size), unit, zero)
            self.quantised[x] = x_uint8, size
        return self.quantised[x]

    def embed(self, table: Array, ids: str) -> str:
        """Look up one row of the table for each id: (rows, steps) -> (rows, steps, hidden_size)."""
        if self.precision == "fp32":
            return self.node("Gather", self.table(table), ids)
        table_int8, row_scale = quantise(table, axis=1)
        x = self.node("Gather", self.constant(table_int8), ids)
        x = self.node("Cast", x, to=TensorProto.FLOAT)
        return self.node("Mul", x, self.node("Gather", self.constant(row_scale), ids))

    def table(self, values: Array) -> str:
        """Add the fp32 table, (vocab_size, hidden_size), once though two layers may read it."""
        if not any(constant.name == TOKENS for constant in self.constants):
            self.constants.append(numpy_helper.from_array(values, TOKENS))
        return TOKENS

    def norm(self, x: str, name: str) -> str:
        """Add the norm over the last axis; the shape, (..., hidden_size), stays.

        GPT-2: LayerNorm (Ba et al. 2016, section 3). Llama: RMSNorm (Zhang & Sennrich 2019, section
        4), which onnxruntime calls SimplifiedLayerNormalization.
        """
        affine = [self.constant(self.weights[name])]
        if self.shape.is_gpt2:
            affine.append(self.constant(self.weights[f"{name}.bias"]))
        kind = "LayerNormalization" if self.shape.is_gpt2 else "SimplifiedLayerNormalization"
        return self.node(kind, x, *affine, axis=-1, epsilon=self.shape.norm_epsilon)


def quantise(weight: Array, *, axis: int) -> tuple[Array, Array]:
    """Return a matrix in int8 and its scales, (1, columns) for axis 0, (rows, 1) for axis 1."""
    scale = np.maximum(np.abs(weight).max(axis=axis, keepdims=True), SMALLEST_MAXIMUM) / 127
    return np.clip(np.rint(weight / scale), -127, 127).astype(np.int8), scale.astype(np.float32)


def build_graph(
    config: Mapping[str, Any], tensors: Mapping[str, Array], precision: Precision
) -> ModelProto:
    """Return the graph of a GPT-2 or llama model of this config.json and state dict.

    Inputs: `input_ids` (rows, steps), `seqlens_k` (rows,), `total_len` (), `last_idx` (rows, 1, 1),
    for GPT-2 `pos` (rows, steps), and keys and values of every layer,
    (rows, kv_heads, max_len, head_dim). Outputs: `logits` (rows, vocab_size), the best K of them,
    `topk_v` and `topk_i` (rows, K), and the keys and values again. Weights are fp32 or row-int8,
    everything between is fp32. Raises UnservableError where the model cannot be served.
    """
    shape = shape_of(config)
    graph = Graph(shape, arrange_weights(shape, tensors), precision)
    graph.add_input("input_ids", TensorProto.INT64, ["rows", "steps"])
    graph.add_input("seqlens_k", TensorProto.INT32, ["rows"])  # length after this step, minus one
    graph.add_input("total_len", TensorProto.INT32, [])  # the longest row after this step
    graph.add_input("last_idx", TensorProto.INT64, ["rows", 1, 1])
    tables = () if shape.is_gpt2 else rope_tables(shape)
    rope = [graph.constant(table.astype(np.float32)) for table in tables]
    x = _add_embeddings(graph)
    for layer in range(shape.layers):
        x = graph.node("Add", x, _add_attention(graph, layer, x, rope))
        x = graph.node("Add", x, _add_mlp(graph, layer, x))
    _add_head(graph, x)
    return _finish(graph)


def save_graph(model: ModelProto, path: Path) -> None:
    """Write the graph; weights of more than 1.5 GB go into a file beside it."""
    large = model.ByteSize() > EXTERNAL_DATA_BYTES
    location = f"{path.name}.data" if large else None
    onnx.save_model(model, str(path), save_as_external_data=large, location=location)


def _finish(graph: Graph) -> ModelProto:
    parts = helper.make_graph(graph.nodes, "otto", graph.inputs, graph.outputs, graph.constants)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(parts, opset_imports=opsets, ir_version=10, producer_name="otto")
    shape = graph.shape
    facts = {
        "max_positions": shape.max_positions,
        "heads": shape.heads,
        "precision": graph.precision,
    }
    helper.set_model_props(model, {name: str(value) for name, value in facts.items()})
    return model


def _add_embeddings(graph: Graph) -> str:
    x = graph.embed(graph.weights["tokens"], "input_ids")
    if not graph.shape.is_gpt2:
        return x
    graph.add_input("pos", TensorProto.INT64, ["rows", "steps"])
    table = graph.constant(graph.weights["positions"])
    return graph.node("Add", x, graph.node("Gather", table, "pos"))


def _add_attention(graph: Graph, layer: int, x: str, rope: list[str]) -> str:
    """Add causal attention with its norm and projections: (rows, steps, hidden_size), kept.

    Query heads share key and value heads in groups (GQA, Ainslie et al. 2023, section 2.2); for
    llama the kernel turns queries and keys by RoPE (Su et al. 2021).
    """
    shape = graph.shape
    qkv = graph.linear(graph.norm(x, f"{layer}.attention_norm"), f"{layer}.qkv")
    past, present = [[f"{when}.{layer}.{kv}" for kv in "kv"] for when in ("past", "present")]
    dims: Dims = ["rows", shape.kv_heads, "max_len", shape.head_dim]
    for name_in, name_out in zip(past, present, strict=True):
        graph.add_input(name_in, TensorProto.FLOAT, dims)
        graph.add_output(name_out, dims)
    node = helper.make_node(
        "GroupQueryAttention",
        [qkv, "", "", *past, "seqlens_k", "total_len", *rope],  # "", "": q, k and v come packed
        [f"attention{layer}", *present],
        domain="com.microsoft",
        num_heads=shape.heads,
        kv_num_heads=shape.kv_heads,
        do_rotary=int(bool(rope)),
        rotary_interleaved=0,  # transformers rotates halves
    )
    graph.nodes.append(node)
    return graph.linear(f"attention{layer}", f"{layer}.attention_out")


def _add_mlp(graph: Graph, layer: int, x: str) -> str:
    """Add the feed-forward part with its norm: (rows, steps, hidden_size), kept.

    GPT-2: GELU by tanh (Hendrycks & Gimpel 2016, section 2). Llama: SwiGLU (Shazeer 2020, section
    2), where Swish is x times its sigmoid.
    """
    x = graph.norm(x, f"{layer}.mlp_norm")
    up = graph.linear(x, f"{layer}.mlp_up")
    if graph.shape.is_gpt2:
        active = graph.node("FastGelu", up, domain="com.microsoft")  # transformers' gelu_new
    else:
        gate = graph.linear(x, f"{layer}.mlp_gate")
        active = graph.node("Mul", graph.node("Mul", gate, graph.node("Sigmoid", gate)), up)
    return graph.linear(active, f"{layer}.mlp_down")


def _add_head(graph: Graph, x: str) -> None:
    """Norm and project each row's last position only; a whole prompt would cost far more."""
    shape = graph.shape
    last = graph.node("GatherND", x, "last_idx", batch_dims=1)  # (rows, 1, hidden_size)
    last = graph.node("Squeeze", last, graph.constant(np.array([1])))  # (rows, hidden_size)
    last = graph.norm(last, "final_norm")
    if graph.precision == "fp32":
        tie_word_embeddings = graph.weights["head"] is graph.weights["tokens"]
        weight = graph.weights["head"]
        head = graph.table(weight) if tie_word_embeddings else graph.constant(weight)
        # Gemm transposes the table by itself, so a tied head needs no copy of it
        logits = graph.node("Gemm", last, head, transB=1)
    else:
        logits = graph.int8_matmul(last, graph.weights["head"].T)
    count = min(TOP_COUNT, shape.vocab)
    top = ["topk_v", "topk_i"]
    how_many = graph.constant(np.array([count]))
    graph.nodes.append(helper.make_node("Identity", [logits], ["logits"]))
    graph.nodes.append(helper.make_node("TopK", [logits, how_many], top, axis=-1))
    graph.add_output("logits", ["rows", shape.vocab])
    graph.add_output(top[0], ["rows", count])
    graph.add_output(top[1], ["rows", count], TensorProto.INT64)
