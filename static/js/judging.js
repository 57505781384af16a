// @ts-check
/** Judging by keyboard: a accept, r exclude, u back; a key pressed while the next one comes waits for it. */
import { isTyping } from "./keys.js";

const KEYS = new Set(["a", "r", "u"]);
const waiting = /** @type {string[]} */ ([]);
let isAway = false;

/** @param {HTMLElement} root */
export function attach(root) {
  /** @param {string} name */
  const press = (name) => {
    const button = root.querySelector(`button[data-key="${name}"]`);
    if (!(button instanceof HTMLElement)) return;
    isAway = true;
    button.click();
  };
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    if (!("keys" in document.documentElement.dataset) || document.querySelector("dialog[open]")) return;
    if (!KEYS.has(event.key) || isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (event.repeat) return; // a key held down judges one row
    if (isAway) waiting.push(event.key);
    else press(event.key);
  };
  document.addEventListener("keydown", key);
  root.addEventListener("htmx:afterRequest", (event) => {
    const { successful, xhr } = /** @type {CustomEvent} */ (event).detail;
    if (!successful && xhr.status !== 422) [isAway, waiting.length] = [false, 0];
  });
  isAway = false;
  const next = waiting.shift();
  if (next) press(next);
  return () => document.removeEventListener("keydown", key);
}
