"""Looks at pages as people with narrow screens, dark themes and screen readers do."""

from __future__ import annotations

import os
import re
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error

UUID = "[0-9a-f-]{36}"
PLAIN = (
    "/ /uploads/ /datasets/ /runs/ /runs/new/ /models/ /models/bases/"
    " /deployments/ /deployments/new/ /chat/ /logs/ /pipeline/ /people/ /people/new/"
    " /profile/ /profile/password/ /status/ /help/"
).split()
# a page is found by the first link of this form on another page
LINKED = (
    ("upload", "/uploads/", f"/uploads/{UUID}/"),
    ("file", "upload", f"/files/{UUID}/"),
    ("dataset", "/datasets/", f"/datasets/{UUID}/"),
    ("conversation", "dataset", rf"/datasets/{UUID}/c/\d+/.*"),
    ("versions", "dataset", f"/datasets/{UUID}/versions/"),
    ("repeats", "dataset", f"/datasets/{UUID}/repeats/"),
    ("rules", "dataset", f"/datasets/{UUID}/rules/"),
    ("history", "dataset", f"/datasets/{UUID}/history/"),
    ("settings", "dataset", f"/datasets/{UUID}/settings/"),
    ("version", "versions", f"/versions/{UUID}/"),
    ("knowledge", "version", f"/versions/{UUID}/knowledge/"),
    ("run", "/runs/", f"/runs/{UUID}/"),
    ("model", "/models/", f"/models/{UUID}/"),
    ("deployment", "/deployments/", "/deployments/(?!new)[a-z-]+/"),
    ("exports", "deployment", f"/models/{UUID}/exports/"),
    ("chat", "/chat/", f"/chat/{UUID}/"),
    ("person", "/people/", r"/people/\d+/"),
)


def pages(page):
    """Return the address of every page by its name; the installation must hold one of each."""
    found = {path.strip("/").replace("/", "-") or "home": path for path in PLAIN}
    for name, on, form in LINKED:
        page.goto(on if on.startswith("/") else found[f"one-{on}"])
        links = page.eval_on_selector_all("a[href]", "all => all.map(a => a.getAttribute('href'))")
        fitting = [link for link in links if re.fullmatch(form, link)]
        assert fitting, f"no link to a {name} on {page.url}"
        found[f"one-{name}"] = fitting[0]
    return found


def faults(tab, path):
    """Open a page; return what is hard to read on it, sticks out of it, or fills its console."""
    tab.complaints.clear()
    tab.page.goto(path)
    tab.page.wait_for_load_state()
    violations = Axe().run(tab.page).response["violations"]
    found = [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in violations]
    wide = tab.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if wide > 0:
        found.append(("too wide by", wide))
    return found + tab.complaints


def shoot(tab, name):
    """Keep a picture of the page in the folder OTTO_SHOTS, where that is set."""
    if folder := os.environ.get("OTTO_SHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        tab.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
        tab.page.wait_for_timeout(100)  # Chromium complains of the picture's own style sheet


def told(page):
    """Return what stands on a page and where its keys go, for whoever reads of a failure."""
    try:
        where = page.evaluate("document.activeElement?.outerHTML.slice(0, 200)")
        return f"focus: {where}\n{page.locator('body').inner_text(timeout=2_000)[:3_000]}"
    except Error as fault:  # the page itself may be what failed
        return f"nothing could be read: {fault}"
