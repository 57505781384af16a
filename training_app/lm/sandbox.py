"""A chat template of somebody else, run so that it can neither reach out nor run on."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import wraps
from threading import Lock
from typing import Any

import jinja2
from jinja2 import filters, nodes
from jinja2.ext import Extension, LoopControlExtension
from jinja2.parser import Parser
from jinja2.runtime import Context, LoopContext, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from training_app.lm.guard import Guard, SandboxError

# All limits are by hand; what models bring needs a thousandth of them.
MOST_SOURCE = 1 << 16  # characters of a template
_MOST_STEPS = 2_000_000  # loops, calls and list entries of one rendering
_MOST_SECONDS = 0.7  # of the processor, for one rendering
_MOST_CHARACTERS = 1 << 24  # that one rendering may make, besides
_MOST_EACH = 64  # times each character that it was given
_MOST_BITS = 256  # of a number that is computed with
_MOST_DIGITS = 64  # of a number that is read, or that it is rounded to
_COMPARED_EACH = 1000  # characters of a search that may take the product of both lengths

_METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset(
        "strip lstrip rstrip split rsplit splitlines startswith endswith replace upper lower title"
        " capitalize find rfind index count isdigit isspace isalpha isalnum isupper islower join"
        " removeprefix removesuffix partition rpartition".split()
    ),
    dict: frozenset(("get", "items", "keys", "values", "copy")),
    list: frozenset(("index", "count")),
    tuple: frozenset(("index", "count")),
    LoopContext: frozenset(("cycle", "changed")),
}
_FILTERS = (
    "abs capitalize count d default dictsort e escape first float indent int items join last length"
    " list lower map max min reject rejectattr replace reverse round safe select selectattr sort"
    " string title tojson trim unique upper"
).split()
# They hand on what they get, and look at none of it; all others may read or copy every character.
_HANDING_ON = frozenset(
    "count d default first items join last length list map reject rejectattr reverse select"
    " selectattr".split()
)
_COMPARING = frozenset("== eq equalto != ne > gt greaterthan ge >= < lt lessthan <= le in".split())
_FROM_BEHIND = frozenset(("rfind", "rsplit", "rpartition"))
_DATE = re.compile(r"(?:%[A-Za-z%]|[^%]){0,64}")


class RefusedError(SandboxError):
    """A chat template's own refusal of a conversation, in its own words."""


class ChatSource:
    """A chat template, ready to be rendered again and again; nothing of it is trusted.

    Making one raises SandboxError for a text that is no template, too long, or reaches out.
    """

    def __init__(self, source: str) -> None:
        if len(source) > MOST_SOURCE:
            raise SandboxError(
                f"The chat template has {len(source):,} characters; at most {MOST_SOURCE:,} are"
                " read. A model's own has a few thousand."
            )
        self.source = source
        self._environment = _Environment()
        self._turn = Lock()  # the environment counts for one rendering at a time
        try:
            code = self._environment.compile(_guarded(self._environment, source))
            self._template = jinja2.Template.from_code(
                self._environment, code, self._environment.make_globals(None)
            )
        except SandboxError:
            raise
        except Exception as error:  # whatever a text that is no template makes of a compiler
            raise SandboxError(f"The chat template cannot be read: {_words(error)}.") from error

    @property
    def is_dated(self) -> bool:
        """Return whether what it writes depends on the day."""
        return "strftime_now" in self.source

    def render(
        self, messages: Sequence[Mapping[str, str]], tokens: Mapping[str, Any], *, cue: bool
    ) -> str:
        """Return what the template makes of the messages, with the assistant's cue or without.

        Raises RefusedError with the template's own words where it refuses them, SandboxError where
        it fails, or asks for more time or memory than a chat template needs.
        """
        given = sum(len(message["content"]) for message in messages)
        values = {"tools": None, "documents": None, **tokens, "add_generation_prompt": cue}
        with self._turn:
            self._environment.begin(given)
            try:
                return self._template.render(messages=[dict(item) for item in messages], **values)
            except SandboxError:
                raise
            except RecursionError as error:
                raise SandboxError("The chat template calls itself without end.") from error
            except Exception as error:
                raise SandboxError(f"The chat template fails: {_words(error)}.") from error


def _words(error: Exception) -> str:
    return (str(error) or type(error).__name__).strip().rstrip(".")[:300]


class _Environment(ImmutableSandboxedEnvironment):
    """Counts what a rendering takes, and ends it when that is too much."""

    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%"))

    def __init__(self) -> None:
        extensions: list[type[Extension]] = [LoopControlExtension, _Generation]
        super().__init__(
            trim_blocks=True, lstrip_blocks=True, optimized=False, extensions=extensions
        )
        own: dict[str, Callable[..., Any]] = {
            **{name: getattr(self, f"_{name}") for name in ("indent", "int", "replace", "round")},
            "string": self.plain,
            "tojson": self._tojson,
            "join": _join,
        }
        known = {name: own.get(name) or self.filters[name] for name in _FILTERS}
        self.filters = {
            name: self._counted(function, weighs=name not in _HANDING_ON)
            for name, function in known.items()
        }
        for name in ("filter", "test"):
            del self.tests[name]
        tests: dict[str, Any] = self.tests
        for name in _COMPARING:
            tests[name] = self._counted(tests[name], weighs=True)
        kept = {name: self.globals[name] for name in ("range", "dict", "namespace")}
        self.globals = {**kept, "raise_exception": _refuse, "strftime_now": _now}
        self.begin(0)

    def begin(self, given: int) -> None:
        """Begin to count for a rendering of so many given characters."""
        self._steps = _MOST_STEPS
        self._characters = _MOST_CHARACTERS + _MOST_EACH * given
        self._until = time.thread_time() + _MOST_SECONDS

    def tick(self, characters: int = 0, steps: int = 1) -> bool:
        """Count a step and what it writes; always true. Raises SandboxError at the limits."""
        self._steps -= steps
        self._characters -= characters
        if self._steps < 0 or time.thread_time() > self._until:
            raise SandboxError("The chat template takes too long: it may loop without end.")
        if self._characters < 0:
            raise SandboxError("The chat template writes too much: more than any model reads.")
        return True

    def seen(self, value: Any) -> Any:
        """Return the value; looking at it is a step."""
        self.tick()
        return value

    def weighed(self, value: Any) -> Any:
        """Return a value that is about to be read or copied as a whole; its text is counted."""
        self.tick()
        if isinstance(value, (list, tuple, dict)):
            self._walk(value, counts_text=True)
        return value

    def made(self, value: Any) -> Any:
        """Return a value that the template made; all that is in it is counted."""
        if isinstance(value, str):
            self.tick(len(value))
        elif isinstance(value, (list, tuple, dict)):
            self._walk(value)
        return value

    def say(self, value: Any) -> str:
        """Return the value as text. Raises SandboxError for what has none, such as a function."""
        text = self.plain(value)
        self.tick(len(text))
        return text

    def plain(self, value: Any) -> str:
        """Return the value as text, its size not counted. Raises SandboxError as `say` does."""
        if isinstance(value, str):
            return value
        if isinstance(value, (list, tuple, dict)):
            self._walk(value, counts_text=True)
        elif not (value is None or isinstance(value, (bool, int, float, Undefined))):
            raise SandboxError("The chat template writes something that is no text.")
        return str(value)

    def concat_all(self, *values: Any) -> str:
        """Return the values as one text."""
        return str(self.made("".join([self.say(value) for value in values])))

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call what a template calls, or one of the counts above."""
        owner = getattr(obj, "__self__", None)
        if owner is self:
            return obj(*args)  # jinja hands the variables of loops over besides
        self.tick()
        if isinstance(owner, str) and obj.__name__ == "replace":
            return self._replace(owner, *args)
        if isinstance(owner, str) and obj.__name__ == "join":
            items: list[Any] = list(*args)
            parts = [self.say(item) for item in items]
            self.tick(len(owner) * len(parts))
            return owner.join(parts)
        if isinstance(owner, str) and obj.__name__ in _FROM_BEHIND:
            needle = next((one for one in (*args, *kwargs.values()) if isinstance(one, str)), "")
            self.tick(steps=1 + len(owner) * len(needle) // _COMPARED_EACH)
        if isinstance(owner, (list, tuple)):
            for one in (owner, *args):
                self.weighed(one)
        return self.made(super().call(context, obj, *args, **kwargs))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Return whether a template may have an attribute: of methods, a few harmless ones."""
        if not super().is_safe_attribute(obj, attr, value):
            return False
        if isinstance(obj, Macro):
            return False
        kind = next((kind for kind in _METHODS if isinstance(obj, kind)), None)
        return not callable(value) or (kind is not None and attr in _METHODS[kind])

    def unsafe_undefined(self, obj: Any, attribute: str) -> Undefined:
        """Raise SandboxError for what `is_safe_attribute` refuses; jinja would write nothing."""
        raise SandboxError(
            f"The chat template reaches for “{attribute[:50]}”, which no chat template needs."
        )

    def wrap_str_format(self, value: Any) -> None:
        """Let nothing be formatted: `is_safe_attribute` refuses it."""

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Return the result. Raises SandboxError where it could be too large."""
        self.tick()
        numbers = isinstance(left, (int, float)) and isinstance(right, (int, float))
        if numbers:
            self._refuse_large(left, right)
            return super().call_binop(context, operator, left, right)
        if operator == "+":
            if isinstance(left, str) and isinstance(right, str):
                self.tick(len(left) + len(right))
            result = super().call_binop(context, operator, left, right)
            return result if isinstance(result, str) else self.made(result)
        if operator == "*" and isinstance(left, str) and isinstance(right, int):
            self.tick(len(left) * max(0, right))
            return left * right
        raise SandboxError(f"The chat template uses “{operator}” on something that is no number.")

    def _refuse_large(self, *numbers: float) -> None:
        if max(map(_bits, numbers)) > _MOST_BITS:
            raise SandboxError("The chat template computes with numbers that are too large.")

    def _walk(self, value: Any, *, counts_text: bool = False) -> None:
        """Count all that is in a list or dict; its text too, where somebody will read it."""
        waiting: list[Any] = [value]
        while waiting:
            item = waiting.pop()
            self.tick(steps=1 + len(item))
            parts = (*item.keys(), *item.values()) if isinstance(item, dict) else item
            waiting += [part for part in parts if isinstance(part, (list, tuple, dict))]
            if counts_text:
                text = sum(len(part) for part in parts if isinstance(part, str))
                self.tick(text, steps=0)

    def _counted(self, function: Callable[..., Any], *, weighs: bool) -> Callable[..., Any]:
        @wraps(function)
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.tick()
            if weighs:
                args = tuple(self.weighed(_as_seen(one)) for one in args)
            return self.made(function(*args, **kwargs))

        return counted

    def _int(self, value: Any, default: int = 0, base: int = 10) -> int:
        if isinstance(value, str) and len(value) > _MOST_DIGITS:
            raise SandboxError("The chat template reads a number that is too long.")
        return filters.do_int(value, default, base)

    def _round(self, value: float, precision: int = 0, method: Any = "common") -> float:
        self._refuse_large(value)
        if abs(precision) > _MOST_DIGITS:
            raise SandboxError("The chat template rounds to too many digits.")
        return filters.do_round(value, precision, method)

    def _replace(self, value: Any, old: str, new: str, count: int | None = None) -> str:
        text = self.plain(value)
        times = text.count(old) if count is None or count < 0 else min(count, text.count(old))
        self.tick(len(text) + times * max(0, len(new) - len(old)))
        return text.replace(old, new, -1 if count is None else count)

    def _indent(
        self,
        text: str,
        width: int | str = 4,
        first: bool = False,  # noqa: FBT001, FBT002
        blank: bool = False,  # noqa: FBT001, FBT002
    ) -> str:
        size = width if isinstance(width, int) else len(width)
        self.tick(len(text) + size * (1 + text.count("\n")))
        return filters.do_indent(text, width, first, blank)

    def _tojson(
        self,
        value: Any,
        ensure_ascii: bool = False,  # noqa: FBT001, FBT002
        indent: Any = None,
        separators: tuple[str, str] | None = None,
        sort_keys: bool = False,  # noqa: FBT001, FBT002
    ) -> str:
        if not (indent is None or isinstance(indent, int)) or (indent or 0) > 16:
            raise SandboxError("The chat template indents too far.")
        if any(len(one) > _MOST_DIGITS for one in separators or ()):
            raise SandboxError("The chat template writes JSON with marks that are too long.")
        return json.dumps(
            value,
            ensure_ascii=ensure_ascii,
            indent=indent,
            separators=separators,
            sort_keys=sort_keys,
        )


@jinja2.pass_eval_context
def _join(context: Any, value: Any, d: str = "", attribute: str | int | None = None) -> str:
    environment: _Environment = context.environment
    items = list(value)
    if attribute is not None:
        items = [*map(filters.make_attrgetter(environment, attribute), items)]
    environment.tick(len(d) * len(items))
    return d.join([environment.say(item) for item in items])


def _refuse(message: Any = "") -> None:
    raise RefusedError(str(message)[:300] if isinstance(message, str) else "no reason given")


def _now(form: Any) -> str:
    if not isinstance(form, str) or not _DATE.fullmatch(form):
        raise SandboxError("The chat template writes the date in a form that is not understood.")
    return datetime.now().astimezone().strftime(form)


def _as_seen(value: Any) -> Any:
    """Return what can be counted before it is read: of a row of things to come, all of them."""
    return list(value) if isinstance(value, Iterator) else value


def _bits(value: float) -> int:
    return value.bit_length() if isinstance(value, int) else 64


class _Generation(Extension):
    """Reads `{% generation %}`, by which some templates mark answers for training, as nothing."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _guarded(environment: _Environment, source: str) -> nodes.Template:
    """Return the template with a count at whatever may take long or grow."""
    tree = environment._parse(source, None, None)  # noqa: SLF001 `parse` is for whole files too
    guarded: nodes.Template = Guard().visit(tree)
    guarded.set_environment(environment)
    return guarded
