// @ts-check
/** Keys typed while the table is on its way wait for it: none is lost, none meets the old rows. */
import { isTyping } from "./keys.js";

/** @param {HTMLElement} root @param {Record<string, () => void>} actions @param {() => void} arrived */
export function keyLine(root, actions, arrived) {
  const waiting = /** @type {string[]} */ ([]);
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
    while (!isAway && waiting.length) actions[waiting.shift() ?? ""]();
  };
  /** @param {KeyboardEvent} event */
  const press = (event) => {
    if (!("keys" in document.documentElement.dataset) || document.querySelector("dialog[open]")) return;
    const onBox = event.target instanceof HTMLInputElement && ["checkbox", "radio"].includes(event.target.type);
    if ((isTyping(event.target) && !onBox) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!actions[event.key]) return;
    event.preventDefault();
    if (isAway) waiting.push(event.key);
    else actions[event.key]();
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
