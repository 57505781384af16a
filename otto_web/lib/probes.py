"""Tries the libraries that compute, in a process of its own: `python -m otto_web.lib.probes`.

The web process imports none of them. Each line of the output is a JSON object: name, state,
figures, remedy. Arguments are folders of models whose tokenizers are tried.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

OK, WARN, FAIL = "ok", "warn", "fail"
INSTALL = "Install what requirements.txt names: `make system run` does."
SENTENCE = "Grüße, 12.5 % – naïve 東京 🙂"
SIDE, ROUNDS = 512, 8


def torch_computes() -> tuple[str, str, str]:
    """Multiply matrices, and compare one product with the exact sum."""
    torch = import_module("torch")
    ones = torch.ones(SIDE, SIDE)
    started = time.monotonic()
    for _ in range(ROUNDS):
        product = ones @ ones
    seconds = time.monotonic() - started
    if float(product[0, 0]) != SIDE:
        return FAIL, f"{torch.__version__} computes wrongly", "Install another build of torch."
    speed = ROUNDS * 2 * SIDE**3 / max(seconds, 1e-9) / 1e9
    device = "a GPU is used" if torch.cuda.is_available() else "no GPU, none is needed"
    return OK, f"torch {torch.__version__}, {speed:,.0f} GFLOP/s, {device}", ""


def engine_computes() -> tuple[str, str, str]:
    """Let onnxruntime add two numbers by a graph made here."""
    numpy, onnx, runtime = (import_module(name) for name in ("numpy", "onnx", "onnxruntime"))
    maker = onnx.helper
    kind = onnx.TensorProto.FLOAT
    ends = [maker.make_tensor_value_info(name, kind, [1]) for name in ("a", "b", "sum")]
    node = maker.make_node("Add", ["a", "b"], ["sum"])
    graph = maker.make_graph([node], "probe", ends[:2], ends[2:])
    opset = [maker.make_opsetid("", 17)]
    model = maker.make_model(graph, opset_imports=opset, ir_version=8)
    session = runtime.InferenceSession(model.SerializeToString())
    values = {name: numpy.array([2.0], dtype="float32") for name in ("a", "b")}
    if float(session.run(None, values)[0][0]) != 4.0:
        return FAIL, "onnxruntime computes wrongly", "Install another build of onnxruntime."
    return OK, f"onnxruntime {runtime.__version__}: a graph runs", ""


def tokenizers_work(folders: Sequence[str]) -> tuple[str, str, str]:
    """Make tokens of a sentence and the sentence of the tokens, with each model's tokenizer."""
    library = import_module("tokenizers")
    wrong = []
    for folder in folders:
        tokenizer = library.Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
        ids = tokenizer.encode(SENTENCE, add_special_tokens=False).ids
        if tokenizer.decode(ids).strip() != SENTENCE:
            wrong.append(Path(folder).name)
    if wrong:
        words = f"{len(wrong):,} of {len(folders):,} do not give a sentence back as it was"
        return WARN, words, "What a model of these reads lacks signs; train it anew."
    tried = f", {len(folders):,} of models here give a sentence back" if folders else ""
    return OK, f"tokenizers {library.__version__}{tried}", ""


def documents_open() -> tuple[str, str, str]:
    """Import what reads PDF and web pages; the others need no library."""
    missing = [name for name in ("pypdfium2", "selectolax") if not _is_there(name)]
    if missing:
        return FAIL, f"{', '.join(missing)} cannot be imported", INSTALL
    return OK, "PDF and HTML can be read", ""


def _is_there(name: str) -> bool:
    try:
        import_module(name)
    except ImportError:
        return False
    return True


def probes(folders: Sequence[str]) -> dict[str, Callable[[], tuple[str, str, str]]]:
    """Return what is tried, by the name that people see."""
    return {
        "Training library": torch_computes,
        "Engine": engine_computes,
        "Tokenizer": lambda: tokenizers_work(folders),
        "Readers of documents": documents_open,
    }


def main(folders: Sequence[str]) -> None:
    """Print a line for each part; one that breaks does not hide the next."""
    for name, probe in probes(folders).items():
        try:
            state, figures, remedy = probe()
        except Exception as error:  # noqa: BLE001 - a library may break in any way
            words = f"{type(error).__name__}: {error}"[:300]
            state, figures, remedy = FAIL, words, INSTALL
        told: dict[str, Any] = {"name": name, "state": state}
        sys.stdout.write(json.dumps({**told, "figures": figures, "remedy": remedy}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
