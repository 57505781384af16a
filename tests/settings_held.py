"""An installation as it is, whose processes can be held at failpoints."""

from __future__ import annotations

from pathlib import Path

from otto_web import env
from otto_web.lib import failpoints
from otto_web.settings import *  # noqa: F403

failpoints.arm(env.text("OTTO_FAILPOINT"), Path(env.text("OTTO_FAILPOINT_DIR", ".")))
