"""What this machine trains on, as far as a page can know without importing torch."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

_DEVICES = Path("/dev")


def has_gpu() -> bool:
    """Return whether PyTorch here was built for CUDA and the system shows an NVIDIA device."""
    if "+cpu" in metadata.version("torch"):
        return False
    return any(_DEVICES.glob("nvidia[0-9]*"))
