// @ts-check
/** The queue of repeats by keyboard: j k move, 1-9 the one that stays, Enter keeps it, a all, m one answer, u undo. */
import { isTyping } from "./keys.js";

/** @param {HTMLElement} root */
export function attach(root) {
  const made = /** @type {number[]} */ ([]); // places of the cards that were decided here, the newest last
  let place = 0;

  const cards = () => /** @type {HTMLElement[]} */ ([...root.querySelectorAll(".repeat")]);
  /** @param {number} wanted */
  const moveTo = (wanted) => {
    const all = cards();
    place = Math.max(0, Math.min(wanted, all.length - 1));
    for (const card of all) card.removeAttribute("aria-current");
    all[place]?.setAttribute("aria-current", "true");
    all[place]?.focus({ preventScroll: true });
    all[place]?.scrollIntoView({ block: "nearest" });
  };
  /** @param {HTMLElement | undefined} card */
  const waits = (card) => card && !("decided" in card.dataset) && !("sent" in card.dataset);
  const goOn = () => {
    const next = cards().findIndex((card, at) => at > place && waits(card));
    if (next > 0) moveTo(next);
    else if (!cards().some(waits)) nextPage()?.focus();
  };
  const nextPage = () => /** @type {HTMLElement | null} */ (root.querySelector('a[rel="next"]'));
  /** @param {string} selector */
  const press = (selector) => {
    const button = cards()[place]?.querySelector(selector);
    if (button instanceof HTMLElement) button.click();
  };
  /** The next card takes the next key at once, also while the answer is on its way. @param {string} selector */
  const decide = (selector) => {
    const card = cards()[place];
    if (!waits(card)) return;
    press(selector);
    card.dataset.sent = "";
    goOn();
  };
  /** @param {number} number */
  const choose = (number) => {
    const boxes = /** @type {HTMLInputElement[]} */ ([...(cards()[place]?.querySelectorAll("input[name=keep]") ?? [])]);
    if (boxes[number - 1]) boxes.forEach((box, at) => (box.checked = at === number - 1));
  };
  const undo = () => {
    const last = made.pop();
    if (last === undefined) return;
    moveTo(last);
    press("[data-undo]");
  };
  const merge = () => {
    press("[data-merge]");
    cards()[place]?.querySelector("textarea")?.focus();
  };
  const actions = /** @type {Record<string, () => void>} */ ({
    j: () => moveTo(place + 1),
    k: () => moveTo(place - 1),
    Enter: () => decide("[data-enter]"),
    a: () => decide("[data-all]"),
    m: merge,
    u: undo,
  });
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const onBox = target instanceof HTMLInputElement && target.type === "checkbox";
    const isWork = event.key === "Enter" && target?.matches("a, button, summary");
    if (!("keys" in document.documentElement.dataset) || document.querySelector("dialog[open]")) return;
    if ((isTyping(target) && !onBox) || isWork || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = /^[1-9]$/.test(event.key) ? () => choose(Number(event.key)) : actions[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  /** @param {Event} event */
  const focus = (event) => {
    const card = event.target instanceof Element ? event.target.closest(".repeat") : null;
    const at = card instanceof HTMLElement ? cards().indexOf(card) : -1;
    if (at >= 0 && at !== place) moveToQuietly(at);
  };
  /** @param {number} at */
  const moveToQuietly = (at) => {
    for (const card of cards()) card.removeAttribute("aria-current");
    cards()[at].setAttribute("aria-current", "true");
    place = at;
  };
  /** A card came back: decided, open again, or with a sentence why not. @param {Event} event */
  const settle = (event) => {
    const card = /** @type {Element} */ (event.target);
    const at = card instanceof HTMLElement ? cards().indexOf(card) : -1;
    if (at < 0) return;
    if (!("decided" in cards()[at].dataset)) return moveTo(at);
    made.push(at);
    if (place === at) goOn();
  };
  /** The server did not answer, or not with a card: it can be decided again. @param {Event} event */
  const failed = (event) => {
    const { successful, xhr, target } = /** @type {CustomEvent} */ (event).detail;
    if (!successful && xhr.status !== 422 && target instanceof HTMLElement) delete target.dataset.sent;
  };
  /** The search is over: the list comes anew, unless somebody writes an answer in it. */
  const renew = () => {
    if (!root.querySelector("details[open]")) root.dispatchEvent(new CustomEvent("otto:renew"));
  };
  document.body.addEventListener("otto:repeats-found", renew);
  root.addEventListener("focusin", focus);
  root.addEventListener("htmx:afterSettle", settle);
  root.addEventListener("htmx:afterRequest", failed);
  document.addEventListener("keydown", key);
  if (cards().length) moveToQuietly(0);
  return () => {
    document.removeEventListener("keydown", key);
    document.body.removeEventListener("otto:repeats-found", renew);
  };
}
