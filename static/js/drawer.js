// @ts-check
/** The conversation beside the table: it opens on demand, follows the cursor, and closes again. */
import { backStep } from "./back_step.js";
import "./row_edit.js"; // the fields it may show hear keys the moment they are there
const CALM = 120;

/** `opened` hears which row somebody opened here, not which one came after the cursor. @param {HTMLElement} root @param {(row: string) => void} opened */
export function drawer(root, opened) {
  const place = /** @type {HTMLElement} */ (root.querySelector("#drawer"));
  let timer = 0;
  let pressed = "";

  /** On a narrow screen a row opens as a page: a drawer would lie below the table. */
  const isPage = () => matchMedia("(max-width: 1100px)").matches;
  const hide = () => {
    clearTimeout(timer);
    place.hidden = true;
    place.replaceChildren();
    root.classList.remove("has-drawer");
  };
  const step = backStep(hide);
  const close = () => (hide(), step.take());
  /** Read this row once the keys are calm. @param {HTMLElement | null} link */
  const follow = (link) => {
    clearTimeout(timer);
    if (!place.hidden && link) timer = setTimeout(() => link.isConnected && link.click(), CALM);
  };
  /** @param {Event} event */
  const settled = (event) => {
    if (/** @type {CustomEvent} */ (event).detail.target !== place) return;
    if (place.hidden) step.put();
    place.hidden = false;
    place.scrollTop = 0;
    root.classList.add("has-drawer");
    const field = place.querySelector("[autofocus]");
    if (field instanceof HTMLElement) field.focus(); // htmx cannot while the drawer is hidden
    if (!pressed) return; // the cursor leads, and may be on a later row by now
    const again = place.querySelector(`a[rel="${pressed}"]`);
    if (again instanceof HTMLElement) again.focus({ preventScroll: true }); // the one that had it is gone
    pressed = "";
    const shown = place.querySelector("[data-conversation]");
    if (shown instanceof HTMLElement) opened(shown.dataset.conversation ?? "");
  };
  /** A click anywhere on a row opens it. @param {MouseEvent} event */
  const click = (event) => {
    const on = event.target instanceof Element ? event.target : null;
    pressed = on?.closest("#drawer a[rel]")?.getAttribute("rel") ?? "";
    if (on?.closest("[data-close]")) close();
    else if (on?.closest("a.row-link")) {
      if (isPage()) event.stopPropagation();
      else if (event.isTrusted) opened(on.closest("tr")?.dataset.row ?? "");
    } else if (!on?.closest("a, input, button, label") && !String(getSelection())) {
      const row = on?.closest("tr[data-row]");
      const link = row?.querySelector("a.row-link");
      if (!(row instanceof HTMLElement) || !(link instanceof HTMLElement)) return;
      opened(row.dataset.row ?? "");
      link.click();
    }
  };
  root.addEventListener("click", click, true);
  root.addEventListener("htmx:afterSettle", settled);
  return { close, follow, isPage, leave: step.leave };
}
