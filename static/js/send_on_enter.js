// @ts-check
/** Enter sends, Shift+Enter makes a line; the Enter that ends a word of an input method does neither. */
import { isComposing } from "./keys.js";

/** @param {HTMLTextAreaElement} root */
export function attach(root) {
  /** @param {KeyboardEvent} event */
  const press = (event) => {
    if (event.key !== "Enter" || event.shiftKey || isComposing(event)) return;
    event.preventDefault();
    const button = root.form?.querySelector(".button-primary");
    if (button instanceof HTMLElement && root.value.trim()) root.form?.requestSubmit(button);
  };
  root.addEventListener("keydown", press);
  return () => root.removeEventListener("keydown", press);
}
