"""The program of a chat template, with a count at whatever may take long or grow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from training_app.lm.config import TrainingError

_NODES = frozenset(
    (
        *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.For, nodes.If, nodes.Macro),
        *(nodes.CallBlock, nodes.Assign, nodes.AssignBlock, nodes.With, nodes.Break),
        *(nodes.Continue, nodes.Name, nodes.NSRef, nodes.Const, nodes.Tuple, nodes.List),
        *(nodes.Dict, nodes.Pair, nodes.Keyword, nodes.CondExpr, nodes.Filter, nodes.Test),
        *(nodes.Call, nodes.Getitem, nodes.Getattr, nodes.Slice, nodes.Concat, nodes.Compare),
        *(nodes.Operand, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Add, nodes.Sub, nodes.Mod),
        *(nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Pos),
    )
)


class SandboxError(TrainingError):
    """A chat template that asks for too much, or for something that it has no business with."""


class Guard(NodeTransformer):
    """Puts calls of the environment into a tree, wherever something may take long or grow.

    They are `tick`, `seen`, `weighed`, `made`, `say` and `concat_all`. Other templates, and
    whatever else no chat template needs, are refused.
    """

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> Any:
        """Return the node with counts in it and in all below it.

        Raises SandboxError for a node that no chat template needs.
        """
        if type(node) not in _NODES:
            name = type(node).__name__
            raise SandboxError(f"The chat template uses “{name}”, which no chat template needs.")
        self.generic_visit(node)
        counted = _COUNTED.get(type(node))
        return counted(node) if counted else node


def _ask(name: str, *args: nodes.Expr) -> nodes.Call:
    """Return a call of the environment, by a name that no template can take."""
    return nodes.Call(nodes.EnvironmentAttribute(name), list(args), [], None, None)


def _output(node: Any) -> Any:
    is_own = [isinstance(part, nodes.TemplateData) for part in node.nodes]
    node.nodes = [
        part if own else _ask("say", part) for part, own in zip(node.nodes, is_own, strict=True)
    ]
    return node


def _body(node: Any) -> Any:
    """Count each pass, and all that it may write."""
    texts = [data for part in node.body for data in part.find_all(nodes.TemplateData)]
    size = sum(len(data.data) for data in texts)
    node.body.insert(0, nodes.ExprStmt(_ask("tick", nodes.Const(size)), lineno=node.lineno))
    return node


def _loop(node: Any) -> Any:
    if node.test is not None:
        node.test = nodes.And(_ask("tick"), node.test)
    return _body(node)


def _item(node: Any) -> Any:
    return _ask("made", node) if isinstance(node.arg, nodes.Slice) else node


def _several(node: Any) -> Any:
    return _ask("made", node) if getattr(node, "ctx", "load") == "load" else node


def _compared(node: Any) -> Any:
    node.expr = _ask("weighed", node.expr)
    for operand in node.ops:
        operand.expr = _ask("weighed", operand.expr)
    return node


def _tested(node: Any) -> Any:
    node.node = _ask("seen", node.node)
    return node


_COUNTED: Mapping[type[nodes.Node], Callable[[Any], Any]] = {
    nodes.Output: _output,
    nodes.For: _loop,
    nodes.Macro: _body,
    nodes.CallBlock: _body,
    nodes.Concat: lambda node: _ask("concat_all", *node.nodes),
    nodes.Getitem: _item,
    nodes.List: _several,
    nodes.Dict: _several,
    nodes.Tuple: _several,
    nodes.Compare: _compared,
    nodes.Test: _tested,
}
