// @ts-check
/** The table by keyboard: j k move, x tick, Enter read, a accept, r exclude, u undo. */
import { isTyping } from "./keys.js";

/** @param {HTMLElement} root */
export function attach(root) {
  let current = "";
  const rows = () => /** @type {HTMLElement[]} */ ([...root.querySelectorAll("tr[data-row]")]);
  const place = () => rows().findIndex((row) => row.dataset.row === current);

  /** @param {number} index */
  const moveTo = (index) => {
    const all = rows();
    const row = all[Math.max(0, Math.min(index, all.length - 1))];
    if (!row) return;
    for (const other of all) other.removeAttribute("aria-current");
    row.setAttribute("aria-current", "true");
    current = row.dataset.row ?? "";
    row.scrollIntoView({ block: "nearest" });
    const link = row.querySelector("a.row-link");
    if (link instanceof HTMLElement) link.focus({ preventScroll: true });
  };
  const box = () => {
    const found = rows()[place()]?.querySelector("input[name=row]");
    return found instanceof HTMLInputElement ? found : null;
  };
  const read = () => {
    const link = rows()[place()]?.querySelector("a.row-link");
    if (link instanceof HTMLElement) link.click();
  };
  /** Decide about the ticked rows, or about the one under the cursor. @param {string} key */
  const decide = (key) => {
    const form = root.querySelector("#rows-form");
    const button = form?.querySelector(`button[data-key="${key}"]`);
    if (!(button instanceof HTMLElement) || !form) return;
    const one = box();
    if (!form.querySelector("input[name=row]:checked") && one) {
      one.checked = true;
      moveOn = place() + 1;
    }
    button.click();
  };
  let moveOn = -1;
  const settled = () => {
    if (moveOn >= 0) {
      moveTo(Math.min(moveOn, rows().length - 1));
      if (root.querySelector("#conversation")) read();
    } else if (current) moveTo(Math.max(place(), 0));
    moveOn = -1;
  };
  /** @type {Record<string, () => void>} */
  const actions = {
    j: () => moveTo(place() + 1),
    k: () => moveTo(place() - 1),
    x: () => box()?.click(),
    a: () => decide("a"),
    r: () => decide("r"),
    u: () => clickOn('button[data-key="u"]'),
    ArrowRight: read,
  };
  /** @param {string} selector */
  const clickOn = (selector) => {
    const found = root.querySelector(selector);
    if (found instanceof HTMLElement) found.click();
  };
  /** @param {KeyboardEvent} event */
  const press = (event) => {
    if (!("keys" in document.documentElement.dataset)) return;
    const onBox = event.target instanceof HTMLInputElement && event.target.type === "checkbox";
    if ((isTyping(event.target) && !onBox) || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = actions[event.key];
    if (!act || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    act();
  };
  /** @param {Event} event */
  const follow = (event) => {
    const row = event.target instanceof Element ? event.target.closest("tr[data-row]") : null;
    if (row instanceof HTMLElement && row.dataset.row !== current) moveTo(rows().indexOf(row));
  };
  /** On a narrow screen a row opens as a page: the drawer would lie below the table. @param {Event} event */
  const openPage = (event) => {
    const link = event.target instanceof Element && event.target.closest("a.row-link");
    if (link && matchMedia("(max-width: 1100px)").matches) event.stopPropagation();
  };
  document.addEventListener("keydown", press);
  root.addEventListener("click", openPage, true);
  root.addEventListener("focusin", follow);
  root.addEventListener("htmx:afterSettle", settled);
  return () => document.removeEventListener("keydown", press);
}
