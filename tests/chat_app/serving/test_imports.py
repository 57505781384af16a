from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"torch", "transformers", "optimum", "onnx", "django", "celery", "channels", "redis"}
ENGINE = ["scheduler", "session", "sampling", "text", "limits", "loaded", "requests"]


@pytest.mark.slow
@pytest.mark.parametrize("module", ENGINE)
def test_the_engine_needs_neither_torch_nor_a_framework(module):
    script = f"import sys, chat_app.serving.{module}; print(*({HEAVY!r} & set(sys.modules)))"
    loaded = subprocess.check_output([sys.executable, "-c", script], text=True)
    assert loaded.strip() == ""
