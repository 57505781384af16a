"""What this machine can do, found out by trying it."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from otto_web.lib.cores import usable_cores

_COMPILE_SECONDS = 120  # the trial is given; chosen by hand
_COMPILE_TRIAL = "import torch; print(torch.compile(lambda x: x.sin() + 1)(torch.ones(8)).sum())"
_LIBRARIES = ("torch", "transformers", "tokenizers", "numpy", "safetensors")


def bf16_pays(device: torch.device) -> bool:
    """Return whether bf16 matmuls are clearly faster than fp32 ones here.

    On CUDA it is asked; on a CPU one of (1024, 1024) is timed in both types.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    clearly = 0.8  # of the time; chosen by hand
    return _matmul_seconds(torch.bfloat16) < clearly * _matmul_seconds(torch.float32)


def _matmul_seconds(kind: torch.dtype) -> float:
    matrix = torch.ones(1024, 1024, dtype=kind)
    spans = []
    for _ in range(4):
        began = time.perf_counter()
        matrix @ matrix
        spans.append(time.perf_counter() - began)
    return min(spans)


def compile_works(cache: Path | None) -> bool:
    """Return whether torch.compile works, tried once in a child; the answer stays in `cache`."""
    answer = None if cache is None else cache / f"compile-{torch.__version__}.json"
    if answer is not None and answer.exists():
        return bool(json.loads(answer.read_text(encoding="utf-8")))
    try:
        child = subprocess.run(  # noqa: S603
            [sys.executable, "-c", _COMPILE_TRIAL],
            capture_output=True,
            timeout=_COMPILE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False  # perhaps the machine was busy: asked again next time
    works = child.returncode == 0
    if answer is not None:
        answer.parent.mkdir(parents=True, exist_ok=True)
        answer.write_text(json.dumps(works), encoding="utf-8")
    return works


def versions() -> dict[str, str | None]:
    """Return the libraries whose numbers a run depends on, with their versions.

    Hugging Face's `datasets` is named since other systems' manifests do; OTTO has no use for it.
    """
    found: dict[str, str | None] = {name: metadata.version(name) for name in _LIBRARIES}
    return found | {"datasets": None}


def system() -> dict[str, Any]:
    """Return what the manifest says about the machine."""
    return {
        "cpu_count": os.cpu_count(),
        "usable_cores": usable_cores(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "platform": platform.system(),
        "platform_release": platform.release(),
        "machine": platform.machine(),
        "python": platform.python_version(),
    }
