"""A BERT encoder as one ONNX graph, built from its weights: tokens in, vectors out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from training_app.lm.bases.encoder_shape import EncoderShape
from training_app.lm.bases.weights_file import Array

Precision = Literal["fp32", "int8"]
PRECISIONS: tuple[Precision, ...] = ("fp32", "int8")
_CONTRIB = "com.microsoft"  # onnxruntime's own operators: one node where ONNX needs ten
_OPSET = 17  # the first with LayerNormalization
_IR_VERSION = 8  # of ONNX's file format, which goes with that opset
_SMALLEST = 1e-8  # keeps an all-zero row from dividing by zero


@dataclass(slots=True)
class _Graph:
    """Collects nodes and constants; values are referred to by name."""

    shape: EncoderShape
    weights: Mapping[str, Array]
    precision: Precision
    nodes: list[NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)

    def constant(self, values: Array) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def weight(self, name: str) -> str:
        return self.constant(self.weights[name])

    def node(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add an operator and return the name of its first output."""
        name = f"value{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], domain=domain, **attributes))
        return name

    def matmul(self, x: str, weight: Array) -> str:
        """Add x @ W with a weight of (in, out), in the graph's precision.

        In int8 each token of x and each column of W is scaled by its own largest absolute value
        (vector-wise quantisation, Dettmers et al. 2022, section 3.1), so a text's vector does not
        depend on the texts beside it. x is shifted by 128, since the kernel wants it unsigned.
        """
        if self.precision == "fp32":
            return self.node("MatMul", x, self.constant(weight))
        column_scale = np.maximum(np.abs(weight).max(axis=0), _SMALLEST) / 127
        rounded = np.clip(np.rint(weight / column_scale), -127, 127).astype(np.int8)
        zero = self.constant(np.array(128, np.uint8))
        size = self.node("ReduceMax", self.node("Abs", x), axes=[-1])
        size = self.node("Max", size, self.constant(np.array(_SMALLEST, np.float32)))
        unit = self.constant(np.array(1 / 127, np.float32))
        x_uint8 = self.node("QuantizeLinear", self.node("Div", x, size), unit, zero)
        y = self.node("MatMulInteger", x_uint8, self.constant(rounded), zero)
        y = self.node("Cast", y, to=TensorProto.FLOAT)
        y = self.node("Mul", y, self.constant((column_scale / 127).astype(np.float32)))
        return self.node("Mul", y, size)

    def added_norm(self, x: str, y: str, *, norm: str, bias: str) -> str:
        """Add LayerNorm(x + y + bias) over the last axis."""
        affine = [self.weight(f"{norm}.weight"), self.weight(f"{norm}.bias")]
        epsilon = self.shape.norm_epsilon
        inputs = (x, y, *affine, self.weight(bias))
        return self.node("SkipLayerNormalization", *inputs, domain=_CONTRIB, epsilon=epsilon)


def build_encoder(
    shape: EncoderShape, weights: Mapping[str, Array], precision: Precision
) -> ModelProto:
    """Return the graph: `input_ids`, `attention_mask` (texts, tokens) to `vectors` (texts, dims).

    The mean over a text's tokens (or its first token, where the model was trained so) is scaled to
    length one inside the graph. The texts of a call are padded on the right.
    """
    graph = _Graph(shape, weights, precision)
    x = _embedded(graph)
    mask = graph.node("Cast", "attention_mask", to=TensorProto.INT32)
    for layer in range(shape.layers):
        x = _block(graph, x, mask, f"encoder.layer.{layer}")
    pooled = _mean(graph, x) if shape.pooling == "mean" else _first(graph, x)
    graph.nodes.append(helper.make_node("LpNormalization", [pooled], ["vectors"], axis=-1, p=2))
    return _model(graph)


def _embedded(graph: _Graph) -> str:
    """Add the sum of word, place and kind: (texts, tokens) -> (texts, tokens, width)."""
    first = graph.shape.first_position
    table = graph.weights["embeddings.position_embeddings.weight"][first:]
    kind = graph.weights["embeddings.token_type_embeddings.weight"][0]
    words = graph.node("Gather", graph.weight("embeddings.word_embeddings.weight"), "input_ids")
    count = graph.node("Slice", graph.node("Shape", "input_ids"), *_one_to_two(graph))
    zero = graph.constant(np.array([0]))
    places = graph.node("Slice", graph.constant(table + kind), zero, count, zero)
    total = graph.node("Add", words, places)
    norm = [graph.weight(f"embeddings.LayerNorm.{part}") for part in ("weight", "bias")]
    epsilon = graph.shape.norm_epsilon
    return graph.node("LayerNormalization", total, *norm, axis=-1, epsilon=epsilon)


def _one_to_two(graph: _Graph) -> tuple[str, str]:
    return graph.constant(np.array([1])), graph.constant(np.array([2]))


def _block(graph: _Graph, x: str, mask: str, name: str) -> str:
    """Add one layer: attention over the text's own tokens, then two matrices with GELU."""
    q, k, v = (f"{name}.attention.self.{part}" for part in ("query", "key", "value"))
    packed = np.concatenate([graph.weights[f"{part}.weight"].T for part in (q, k, v)], axis=1)
    biases = np.concatenate([graph.weights[f"{part}.bias"] for part in (q, k, v)])
    together = graph.matmul(x, packed)
    parts = [f"{together}_{part}" for part in "qkv"]
    graph.nodes.append(helper.make_node("Split", [together], parts, axis=-1))
    attended = graph.node(
        "MultiHeadAttention",
        *(*parts, graph.constant(biases), mask),
        domain=_CONTRIB,
        num_heads=graph.shape.heads,
    )
    out = f"{name}.attention.output"
    y = graph.matmul(attended, graph.weights[f"{out}.dense.weight"].T)
    x = graph.added_norm(x, y, norm=f"{out}.LayerNorm", bias=f"{out}.dense.bias")
    inner = f"{name}.intermediate.dense"
    y = graph.matmul(x, graph.weights[f"{inner}.weight"].T)
    y = graph.node("BiasGelu", y, graph.weight(f"{inner}.bias"), domain=_CONTRIB)
    out = f"{name}.output"
    y = graph.matmul(y, graph.weights[f"{out}.dense.weight"].T)
    return graph.added_norm(x, y, norm=f"{out}.LayerNorm", bias=f"{out}.dense.bias")


def _mean(graph: _Graph, x: str) -> str:
    """Add the mean over a text's own tokens: (texts, tokens, width) -> (texts, width)."""
    mask = graph.node("Cast", "attention_mask", to=TensorProto.FLOAT)
    row = graph.node("Unsqueeze", mask, graph.constant(np.array([1])))
    total = graph.node("Squeeze", graph.node("MatMul", row, x), graph.constant(np.array([1])))
    count = graph.node("ReduceSum", mask, graph.constant(np.array([1])), keepdims=1)
    return graph.node(
        "Div", total, graph.node("Max", count, graph.constant(np.ones(1, np.float32)))
    )


def _first(graph: _Graph, x: str) -> str:
    return graph.node("Gather", x, graph.constant(np.array(0)), axis=1)


def _model(graph: _Graph) -> ModelProto:
    texts = ["texts", "tokens"]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, texts)
        for name in ("input_ids", "attention_mask")
    ]
    dims = ["texts", graph.shape.width]
    outputs = [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, dims)]
    made = helper.make_graph(graph.nodes, "encoder", inputs, outputs, graph.constants)
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_CONTRIB, 1)]
    return helper.make_model(made, opset_imports=opsets, ir_version=_IR_VERSION)
