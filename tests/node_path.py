"""Prints the path of the node that Playwright brings."""

from __future__ import annotations

from pathlib import Path

import playwright

if __name__ == "__main__":
    print(Path(playwright.__file__).parent / "driver" / "node")  # noqa: T201
