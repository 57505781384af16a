// @ts-check
/** Previous and next by keyboard: a link with data-turn is followed when its key is pressed. */
import { isComposing, isTyping } from "./keys.js";

/** @param {HTMLElement} root */
export function attach(root) {
  /** @param {KeyboardEvent} event */
  const press = (event) => {
    if (!("keys" in document.documentElement.dataset) || isTyping(event.target) || isComposing(event)) return;
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const link = [...root.querySelectorAll("a[data-turn]")].find((one) => one.getAttribute("data-turn") === event.key);
    if (link instanceof HTMLAnchorElement) link.click();
  };
  document.addEventListener("keydown", press);
  return () => document.removeEventListener("keydown", press);
}
