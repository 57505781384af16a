// @ts-check
/** Single keys that work on every page; they rest while somebody types, and where the profile says so. */
const PLACES = /** @type {Record<string, string>} */ ({ h: "/", u: "/uploads/", d: "/datasets/", r: "/runs/", m: "/models/", c: "/chat/", l: "/logs/" });
const GO_WAIT = 1200;

/** @param {EventTarget | null} target */
export function isTyping(target) {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}

/** Whether a key belongs to an input method: Safari says so by the old code 229 alone. @param {KeyboardEvent} event */
export const isComposing = (event) => event.isComposing || event.keyCode === 229;

/** @param {HTMLElement} root */
export function attach(root) {
  let goUntil = 0;
  /** @param {KeyboardEvent} event */
  const press = (event) => {
    if (!("keys" in document.documentElement.dataset) || isTyping(event.target)) return;
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (Date.now() < goUntil) go(event);
    else if (event.key === "g") goUntil = Date.now() + GO_WAIT;
    else if (event.key === "?") openKeys(event);
    else if (event.key === "/") search(event);
  };
  /** @param {KeyboardEvent} event */
  const go = (event) => {
    goUntil = 0;
    const link = root.querySelector(`a[href="${PLACES[event.key] ?? "#"}"]`);
    if (!(link instanceof HTMLAnchorElement)) return;
    event.preventDefault();
    link.click();
  };
  document.addEventListener("keydown", press);
  return () => document.removeEventListener("keydown", press);
}

/** @param {KeyboardEvent} event */
function openKeys(event) {
  const dialog = document.getElementById("keys");
  if (!(dialog instanceof HTMLDialogElement)) return;
  event.preventDefault();
  dialog.showModal();
}

/** @param {KeyboardEvent} event */
function search(event) {
  const field = document.querySelector("main input[type=search]");
  if (!(field instanceof HTMLInputElement)) return;
  event.preventDefault();
  field.focus();
}
