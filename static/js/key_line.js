// @ts-check
/** Keys typed while the table is on its way wait for it: none is lost, none meets the old rows. */
import { isTyping } from "./keys.js";

/** Words for a field that is not there yet, and the key that ended them. @typedef {{ text: string, end: string }} Typed */

const FIELD = "t"; // opens a field: what follows it are letters, not keys

/** @param {HTMLElement} root @param {Record<string, (typed: Typed) => void>} actions @param {() => void} arrived */
export function keyLine(root, actions, arrived) {
  const waiting = /** @type {{ key: string, typed: Typed }[]} */ ([]);
  let isAway = false;
  let isHeld = false;

  const away = () => (isAway = true);
  /** No other table comes, so the keys that were meant for it go. */
  const stay = () => [isAway, waiting.length] = [false, 0];
  /** What is typed before the drawer has its fields is meant for them, and decides nothing. */
  const hold = () => (isHeld = isAway = true);
  /** @param {Event} event */
  const letGo = (event) => {
    if (!isHeld || /** @type {CustomEvent} */ (event).detail.target?.id !== "drawer") return;
    isHeld = false;
    stay();
  };
  const goOn = () => {
    isAway = false;
    for (let next; !isAway && (next = waiting.shift()); ) actions[next.key](next.typed);
  };
  /** Whether the key is one more letter of a field that waits. @param {string} key */
  const isLetter = (key) => {
    const last = isAway ? waiting.at(-1) : undefined;
    if (last?.key !== FIELD || last.typed.end) return false;
    if (["Enter", "Escape"].includes(key)) last.typed.end = key;
    else if (key === "Backspace") last.typed.text = last.typed.text.slice(0, -1);
    else if (key.length === 1) last.typed.text += key;
    return true;
  };
  /** @param {KeyboardEvent} event */
  const press = (event) => {
    if (!("keys" in document.documentElement.dataset) || document.querySelector("dialog[open]")) return;
    const onBox = event.target instanceof HTMLInputElement && ["checkbox", "radio"].includes(event.target.type);
    if ((isTyping(event.target) && !onBox) || event.ctrlKey || event.metaKey || event.altKey) return;
    const typed = { text: "", end: "" };
    if (isLetter(event.key)) event.preventDefault();
    else if (actions[event.key]) {
      event.preventDefault();
      if (isAway) waiting.push({ key: event.key, typed });
      else actions[event.key](typed);
    }
  };
  /** @param {Event} event */
  const isTable = (event) => /** @type {CustomEvent} */ (event).detail.target?.id === "dataset-table";
  root.addEventListener("htmx:beforeRequest", (event) => isTable(event) && away());
  root.addEventListener("htmx:afterRequest", (event) => {
    const { successful, xhr } = /** @type {CustomEvent} */ (event).detail;
    if (isTable(event) && !successful && xhr.status !== 422) stay();
  });
  root.addEventListener("htmx:responseError", letGo);
  root.addEventListener("htmx:sendError", letGo);
  root.addEventListener("htmx:afterSettle", (event) => {
    letGo(event);
    if (/** @type {Element} */ (event.target).id !== "dataset-table") return;
    arrived();
    goOn();
  });
  document.addEventListener("keydown", press);
  return { away, hold, stay, goOn, close: () => document.removeEventListener("keydown", press) };
}
