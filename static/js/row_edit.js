// @ts-check
/** The fields of a row: Ctrl+Enter saves, Escape leaves, and nothing that was typed is lost by a slip. */
import { isComposing } from "./keys.js";
const UNSAVED = "What you wrote is not saved. Leave it?";

/** @param {HTMLFormElement} root */
export function attach(root) {
  let isChanged = "changed" in root.dataset;
  let isLeaving = false;
  let saidOnce = false;

  /** @param {string} words */
  const say = (words) => {
    const place = root.querySelector("[data-said]");
    if (place) place.textContent = words;
  };
  const leave = () => {
    const link = root.querySelector("[data-leave]");
    if (isChanged && !saidOnce) {
      saidOnce = true;
      say("Not saved. Escape once more leaves without saving.");
    } else if (link instanceof HTMLElement) {
      isLeaving = true;
      link.click();
    }
  };
  /** @param {KeyboardEvent} event */
  const press = (event) => {
    if (isComposing(event)) return;
    const save = root.querySelector("[data-save]");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && save instanceof HTMLElement) {
      event.preventDefault();
      root.requestSubmit(save);
    } else if (event.key === "Escape") leave();
    else return;
    event.stopPropagation(); // the table's keys would close the drawer
  };
  const input = () => {
    isChanged = true;
    saidOnce = false;
    say("");
  };
  const submit = () => (isLeaving = true);
  /** Another row wants the drawer. @param {Event} event */
  const request = (event) => {
    const { target, elt } = /** @type {CustomEvent} */ (event).detail;
    if (target?.id !== "drawer" || isLeaving || !isChanged || elt === root) return;
    if (confirm(UNSAVED)) isLeaving = true;
    else event.preventDefault();
  };
  /** @param {Event} event */
  const answered = (event) => {
    if (/** @type {CustomEvent} */ (event).detail.elt === root) isLeaving = false; // it may have failed
  };
  /** @param {BeforeUnloadEvent} event */
  const unload = (event) => {
    if (isChanged && !isLeaving) event.preventDefault();
  };
  root.addEventListener("keydown", press);
  root.addEventListener("input", input);
  root.addEventListener("submit", submit);
  document.addEventListener("htmx:beforeRequest", request);
  document.addEventListener("htmx:afterRequest", answered);
  addEventListener("beforeunload", unload);
  return () => {
    document.removeEventListener("htmx:beforeRequest", request);
    document.removeEventListener("htmx:afterRequest", answered);
    removeEventListener("beforeunload", unload);
  };
}
