// @ts-check
/** What stands beside the table: fetched when it is opened, and again whenever the table changes. */
const REMEMBERED = "otto-facets";
const NARROW = "(max-width: 1100px)";

/** @param {HTMLElement} root */
export function attach(root) {
  const room = /** @type {HTMLElement} */ (root.parentElement);
  let shown = "";

  const query = () => /** @type {HTMLElement | null} */ (room.querySelector("#dataset-table"))?.dataset.here ?? "";
  const button = () => /** @type {HTMLElement | null} */ (room.querySelector("[data-facets]"));
  const load = async () => {
    shown = query();
    const focused = root.contains(document.activeElement) && document.activeElement?.getAttribute("data-facet");
    await window.htmx.ajax("GET", `${root.dataset.url}?${shown}`, { target: "#facets", source: root });
    const close = root.querySelector("[data-facets-close]");
    if (close instanceof HTMLElement) close.hidden = false;
    const again = focused && root.querySelector(`[data-facet="${CSS.escape(focused)}"]`);
    if (again instanceof HTMLElement) again.focus({ preventScroll: true });
  };
  const show = () => {
    root.hidden = false;
    room.classList.add("has-facets");
    button()?.setAttribute("aria-expanded", "true");
    load();
  };
  const hide = () => {
    root.hidden = true;
    room.classList.remove("has-facets");
    button()?.setAttribute("aria-expanded", "false");
  };
  /** @param {boolean} isOpen */
  const remember = (isOpen) => matchMedia(NARROW).matches || localStorage.setItem(REMEMBERED, isOpen ? "1" : "");

  /** @param {MouseEvent} event */
  const click = (event) => {
    const on = event.target instanceof Element ? event.target : null;
    if (on?.closest("[data-facets]")) {
      event.preventDefault();
      remember(Boolean(root.hidden));
      if (root.hidden) show();
      else hide();
    } else if (on?.closest("[data-facets-close]")) {
      remember(false);
      hide();
      button()?.focus();
    }
  };
  /** The table came anew: its button too. @param {Event} event */
  const settled = (event) => {
    if (/** @type {CustomEvent} */ (event).detail.target?.id !== "dataset-table" || root.hidden) return;
    button()?.setAttribute("aria-expanded", "true");
    load();
  };
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    if (event.key !== "Escape" || !matchMedia(NARROW).matches) return;
    event.stopPropagation();
    hide();
    button()?.focus();
  };
  room.addEventListener("click", click);
  room.addEventListener("htmx:afterSettle", settled);
  root.addEventListener("keydown", key);
  if (localStorage.getItem(REMEMBERED) && !matchMedia(NARROW).matches) show();
}
