"""What a person does in the browser, from signing in to the next training set."""

from __future__ import annotations

import io
import re
import zipfile

from datasets_app.sample.conversations import MEMBER_NAME, as_zip_bytes, generate
from tests.waiting import attached, until

CONVERSATIONS = 800
ROW = "#dataset-table tr[data-row]"
EVIL, BROKEN = "../evil.jsonl", "broken.csv"
ANSWER = "[data-answer]"
RECORD = """selector => {
  window.seen = [];
  const look = () => {
    const last = [...document.querySelectorAll(selector)].at(-1);
    const text = last ? last.textContent : "";
    if (text !== window.seen.at(-1)) window.seen.push(text);
  };
  const all = {subtree: true, childList: true, characterData: true};
  new MutationObserver(look).observe(document.body, all);
  look();
}"""


class Tab:
    """A tab of one person; hears every complaint of its console."""

    def __init__(self, browser, address, **options):
        self.context = browser.new_context(base_url=address, **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.complaints = []
        self.is_told = False
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda fault: self.complaints.append(str(fault)))

    def _hear(self, said):
        if said.text.startswith(("htmx:sendAbort", "htmx:afterRequest")):
            return  # a newer request took the place of one on its way; a fault says so by itself
        if said.type in {"error", "warning"}:
            self.complaints.append(f"{self.page.url}: {said.text}")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.context.close()


def number(text):
    return int(text.replace(",", ""))


def go(page, name):
    """Follow a link of the sidebar."""
    page.get_by_role("navigation", name="Main").get_by_role("link", name=name, exact=True).click()
    page.get_by_role("heading", name=name, level=1).wait_for()


def sign_in(page, password):
    page.goto("/")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Home", level=1).wait_for()


# Data --------------------------------------------------------------------------------------------
def shop_zip():
    """The bundled sample, beside a member with a wrong checksum and one that wants to escape."""
    with zipfile.ZipFile(io.BytesIO(as_zip_bytes(count=CONVERSATIONS))) as sample:
        talks = sample.read(MEMBER_NAME)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MEMBER_NAME, talks)
        archive.writestr(EVIL, '{"input": "Who are you?", "output": "Somebody from outside."}\n')
        archive.writestr(BROKEN, "question,answer\n" + "a,b\n" * 9, zipfile.ZIP_STORED)
    return packed.getvalue().replace(b"question,answer", b"question;answer")


def upload(page, name, body):
    """Give a file to the drop zone, stay until it is read, and open its upload."""
    go(page, "Uploads")
    page.locator("[data-plain]").wait_for(state="hidden")
    page.set_input_files("#id_sent", {"name": name, "mimeType": "", "buffer": body})
    page.get_by_text("arrived; the list below tells what came of it").wait_for()
    row = page.locator("#upload-table tr", has_text=name)
    row.get_by_text("succeeded").wait_for()
    row.get_by_role("link", name=name).first.click()
    page.get_by_role("heading", name=name).wait_for()


def reason_of(page, member):
    """Return what the upload's page says about one of its files: verdict and reason."""
    row = page.locator("#upload-tree tr", has=page.get_by_role("link", name=member, exact=True))
    return row.locator("[data-label=Verdict]").inner_text(), row.locator("td").last.inner_text()


def chips(page, group):
    """Return the figures of a row of chips above the table, by their words."""
    found = page.get_by_role("list", name=group).get_by_role("link").all_inner_texts()
    pairs = [one.rsplit("\n", 1) for one in found]
    return {words.strip(): number(figure) for words, figure in pairs}


def filter_by_reason(page, name):
    page.get_by_role("list", name="Reasons").get_by_role("link", name=name).click()
    page.wait_for_url("**reason=**")
    page.locator('#dataset-table a[aria-current="true"]', has_text=name).wait_for()


def exclude_one_by_key_and_take_it_back(page):
    """Go to the first row, exclude it by `r`, undo by `u`."""
    by_a_person = page.locator(ROW).first.get_by_text("by a person")
    attached(page)
    page.keyboard.press("j")
    page.locator(f'{ROW}[aria-current="true"]').wait_for()
    page.keyboard.press("r")
    page.get_by_text("Undo “1 conversation excluded”").first.wait_for()
    by_a_person.wait_for()
    page.keyboard.press("u")
    page.get_by_text("Undone: 1 conversation is as before.").wait_for()
    by_a_person.wait_for(state="detached")


def exclude_all_that_match(page, expected):
    page.get_by_label(f"all {expected} that match").check()
    page.get_by_role("button", name="Exclude").click()
    page.get_by_text(f"{expected} conversations excluded").first.wait_for()


def freeze(page):
    """Freeze what is kept; stay until the version is there."""
    page.get_by_role("link", name="Freeze a version").click()
    page.get_by_role("heading", name="Versions", level=1).wait_for()
    page.get_by_role("button", name="Freeze").click()
    page.get_by_text("To learn from").wait_for()


# Training ----------------------------------------------------------------------------------------
def train(page, *, steps, evaluate_every, checkpoint_every):
    """Fill the form with the tiny preset and figures of one's own; land on the run's page."""
    page.get_by_role("button", name="Tiny").click()
    page.get_by_text("Tiny changed").wait_for()
    page.get_by_text(re.compile("Ready to train|It can be trained")).wait_for()
    page.get_by_label("Unit").select_option("steps")
    page.get_by_label("How long").fill(str(steps))
    page.get_by_text("Advanced: training").click()
    page.get_by_label("Evaluate every").fill(str(evaluate_every))
    page.get_by_label("Checkpoint every").fill(str(checkpoint_every))
    page.locator("#run-forecast strong", has_text=re.compile(rf"^{steps}$")).wait_for()
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url(re.compile(r"/runs/[0-9a-f-]{36}/$"))


def step(page):
    """Return the step that the run's page shows now."""
    return number(page.locator("#run-live dd").first.inner_text().split("/")[0].strip())


def wait_for_step(page, least, seconds=120):
    until(lambda: step(page) >= least, seconds)
    return step(page)


def curve(page):
    """Return the table of the loss as the page shows it: step, training, validation."""
    if not page.locator("table", has_text="Training loss").is_visible():
        page.get_by_text("Show as table").click()
    rows = page.locator("table", has_text="Training loss").locator("tbody tr").all_inner_texts()
    cells = [row.split("\t") for row in rows]
    return {number(cell[0]): (cell[1], cell[2]) for cell in cells if len(cell) == 3}


# Chatting ----------------------------------------------------------------------------------------
def deploy(page, alias):
    """Deploy the model of the run's page; stay until it is checked and answers."""
    page.get_by_role("link", name="Deploy", exact=True).click()
    page.get_by_role("heading", name="Deploy a model or known answers").wait_for()
    page.get_by_label("Name").fill(alias)
    page.get_by_role("button", name="Deploy").click()
    page.get_by_role("heading", name=alias, level=1).wait_for()
    page.get_by_role("heading", name="Answers now").wait_for(timeout=120_000)
    page.get_by_role("button", name="Chat with it").wait_for()


def see_answer_grow(page, held):
    """Wait for the first words of the answer that is held, let it go on; return how it grew."""
    held.reached()
    until(page.locator(ANSWER).last.text_content)
    page.evaluate(RECORD, ANSWER)
    held.release()
    page.locator(".message-answer .rating").wait_for()
    return [text for text in page.evaluate("window.seen") if text]


def add_to_dataset(page, dataset):
    """Select the newest logged exchange and add it to a dataset."""
    go(page, "Logs")
    page.get_by_label("Select exchange 1").check()
    page.get_by_label("into", exact=True).select_option(label=dataset)
    page.get_by_role("button", name="Add to dataset").click()
    page.get_by_text("1 exchange added").wait_for()


def one_text():
    """The answers of the sample as plain prose, each once."""
    answers = {turn.text: None for one in generate(count=1500) for turn in one.conversation.turns}
    told = list(answers)
    return "\n\n".join(" ".join(told[at : at + 5]) for at in range(0, len(told), 5))


def phrase_of(text):
    """Return how the text begins, as a search wants words that stand side by side."""
    return '"' + " ".join(text.split(" ")[:6]) + '"'
