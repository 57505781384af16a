// @ts-check
/** The table by keyboard: j k move, x select, Enter read, a accept, r exclude, e edit, t tag, l like it, u undo, Esc close. */
import { showDecision } from "./decision.js";
import { drawer } from "./drawer.js";
import { keyLine } from "./key_line.js";
import { outbox } from "./outbox.js";
import { tagLine } from "./tag_line.js";

/** @param {HTMLElement} root */
export function attach(root) {
  let [current, isNewPage] = ["", false];
  /** @param {string} selector */
  const find = (selector) => /** @type {HTMLElement | null} */ (root.querySelector(selector));
  const rows = () => /** @type {HTMLElement[]} */ ([...root.querySelectorAll("tr[data-row]")]);
  const place = () => rows().findIndex((row) => row.dataset.row === current);
  const link = () => find(`tr[data-row="${current}"] a.row-link`);

  /** @param {HTMLElement | null | undefined} row */
  const mark = (row) => {
    for (const other of root.querySelectorAll("tr[aria-current]")) other.removeAttribute("aria-current");
    row?.setAttribute("aria-current", "true");
    current = row?.dataset.row ?? "";
  };
  /** @param {number} index */
  const moveTo = (index) => {
    mark(rows()[Math.max(0, Math.min(index, rows().length - 1))]);
    link()?.closest("tr")?.scrollIntoView({ block: "nearest" });
    link()?.focus({ preventScroll: true });
    reading.follow(link());
  };
  const reading = drawer(root, (row) => mark(find(`tr[data-row="${row}"]`)));
  const saving = outbox(root, (left) => {
    const words = find("[data-unsaved]");
    if (words) words.textContent = left ? `saving ${left}` : "";
    if (!left) find("#dataset-summary")?.dispatchEvent(new CustomEvent("otto:stale"));
  });

  /** Do something to the table once every decision is saved; keys wait until it is back. @param {() => void} act */
  const leave = async (act) => {
    line.away();
    if (await saving.emptied()) act();
    else line.stay();
  };
  const goOn = () => {
    if (place() + 1 < rows().length) moveTo(place() + 1);
    else if (find('#rows-form a[rel="next"]')) {
      leave(() => {
        isNewPage = true;
        find('#rows-form a[rel="next"]')?.click();
      });
    } else saving.emptied().then(() => reading.follow(link()));
  };
  /** @param {string} row @param {string} decision */
  const decide = (row, decision) => {
    const shown = showDecision(find(`tr[data-row="${row}"]`), decision);
    if (shown) saving.push(shown);
    goOn();
  };
  /** Decide about the selected rows, or about the one under the cursor. @param {string} decision */
  const answer = (decision) => {
    if (find("input[name=row]:checked")) leave(() => find(`#rows-form button[value="${decision}"]`)?.click());
    else if (place() < 0) moveTo(0);
    else decide(current, decision);
  };
  const undo = () => {
    const [row, action] = saving.actions.pop() ?? [];
    const form = /** @type {HTMLFormElement | null} */ (find("#rows-form"));
    const button = find('button[data-key="u"]');
    if (!row || !form) return button ? button.click() : line.goOn();
    current = String(row);
    const url = (root.dataset.undoUrl ?? "").replace("/0/", `/${action}/`) + new URL(form.action).search;
    window.htmx.ajax("POST", url, { source: form, values: { at: String(row) } }); // swapped as the form says
  };
  /** Turn the row under the cursor into fields: beside the table, or on a page of its own. */
  const edit = () => {
    const form = /** @type {HTMLFormElement | null} */ (find("#rows-form"));
    if (place() < 0 || !form) return moveTo(0);
    const url = (root.dataset.editUrl ?? "").replace("/0/", `/${current}/`) + new URL(form.action).search;
    if (reading.isPage()) return location.assign(url);
    line.hold();
    reading.follow(null); // the row itself would come over its fields
    window.htmx.ajax("GET", url, { source: link() ?? form, target: "#drawer" });
  };
  const tagging = tagLine(root, () => current, leave, () => link()?.focus());
  const actions = {
    j: goOn,
    k: () => moveTo(place() - 1),
    x: () => find(`tr[data-row="${current}"] input[name=row]`)?.click(),
    a: () => answer("keep"),
    r: () => answer("exclude"),
    u: () => leave(undo),
    e: edit,
    t: tagging.open,
    l: () => (place() < 0 ? moveTo(0) : leave(() => find(`tr[data-row="${current}"] a.row-like`)?.click())),
    ArrowRight: () => link()?.click(),
    Escape: () => (reading.close(), link()?.focus()),
  };
  const line = keyLine(root, actions, () => {
    if (isNewPage || current) moveTo(isNewPage ? 0 : place());
    isNewPage = false;
  });
  /** A decision in the drawer goes the way of the keys. @param {SubmitEvent} event */
  const submit = (event) => {
    const { reviewed } = /** @type {HTMLFormElement} */ (event.target).dataset;
    if (!reviewed || !find(`tr[data-row="${reviewed}"]`)) {
      saving.actions.length = 0; // what comes now is undone first
      return;
    }
    event.preventDefault();
    event.stopPropagation(); // htmx listens on the form
    mark(find(`tr[data-row="${reviewed}"]`));
    decide(reviewed, /** @type {HTMLButtonElement} */ (event.submitter).value);
  };
  root.addEventListener("focusin", ({ target }) => {
    const row = target instanceof Element ? target.closest("tr[data-row]") : null;
    if (row instanceof HTMLElement) mark(row);
  });
  root.addEventListener("submit", submit, true);
  return () => (line.close(), saving.close(), reading.leave());
}
