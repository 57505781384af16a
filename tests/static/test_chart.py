"""The chart of a run, in Playwright's node with a page of a few stubs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import playwright
import pytest
from django.conf import settings

NODE = Path(playwright.__file__).parent / "driver" / "node"
CHART = settings.BASE_DIR / "static" / "js" / "chart.js"
PAGE = """
const asked = [], drawn = [], said = [];
const socketWrapper = { send: (text) => said.push(JSON.parse(text)) };
const line = new EventTarget();
Object.assign(globalThis, {
  window: globalThis,
  Chart: class { constructor(_, { data }) { this.data = data; }
    update() { drawn.push(this.data.datasets[2].data.length); } destroy() {} },
  document: { querySelector: () => line, hidden: false, documentElement: {} },
  getComputedStyle: () => ({ color: "#000" }),
  fetch: async (url) => (asked.push(url), { ok: true, json: async () => (
    { rows: Array.from({ length: 2000 }, (_, i) => ["train/loss", 3 * i, 1]), upto: 6000 }) }),
});
const { attach } = await import(CHART);
const root = { dataset: { pointsUrl: "/points/" }, querySelector: () => ({ style: {} }) };
const stop = attach(root);
line.dispatchEvent(Object.assign(new Event("htmx:wsOpen"), { detail: { socketWrapper } }));
const frame = (rows, upto) => {
  const event = new Event("htmx:wsBeforeMessage", { cancelable: true });
  event.detail = { socketWrapper, message: JSON.stringify({ t: "points", rows, upto }) };
  line.dispatchEvent(event);
};
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
await wait(20);
for (let i = 0; i < STEPS; i += 100)
  frame(Array.from({ length: 100 }, (_, k) => ["train/loss", 6001 + i + k, 1]), 6100 + i);
await wait(400);
stop();
console.log(JSON.stringify({ asked, said, most: Math.max(...drawn), last: drawn.at(-1) }));
process.exit();
"""


def watched(steps):
    """Return what the page did when so many points came over the socket."""
    script = PAGE.replace("CHART", json.dumps(CHART.as_uri())).replace("STEPS", str(steps))
    command = [NODE, "--input-type=module", "-e", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_points_of_the_socket_are_added_to_those_of_the_first_look():
    seen = watched(500)
    assert seen.pop("said") == [{"op": "from", "seq": 6000}]  # what came with the first look
    assert seen == {"asked": ["/points/?from=0"], "most": 2500, "last": 2500}


@pytest.mark.slow
def test_a_tab_that_watches_for_hours_takes_its_points_thinned_again():
    seen = watched(20_000)
    assert len(seen["asked"]) > 2
    assert set(seen["asked"]) == {"/points/?from=0"}
    assert seen["most"] <= 8000
