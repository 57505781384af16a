// @ts-check
/** A chat by keyboard: j k messages, [ ] other branches, a again, o go on, + - rate, c correct, ↑ edit the last question. */
import { isComposing, isTyping } from "./keys.js";

/** The message that had the focus: messages are swapped when another branch is shown. */
let place = -1;

/** @param {HTMLElement} root */
export function attach(root) {
  const messages = () => /** @type {HTMLElement[]} */ ([...root.querySelectorAll(".message")]);
  /** The message that has the focus, else the last one. */
  const current = () => messages().find((one) => one.contains(document.activeElement)) ?? messages().at(-1);
  /** @param {number} step */
  const move = (step) => {
    const all = messages();
    const here = all.findIndex((one) => one.contains(document.activeElement));
    const next = all[here < 0 ? all.length - 1 : Math.max(0, Math.min(all.length - 1, here + step))];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  };
  /** Press what the message offers, or else the answer to it. @param {string} selector */
  const press = (selector) => {
    const message = current();
    const exchange = message?.closest(".exchange");
    const found = message?.querySelector(selector) ?? exchange?.querySelector(selector);
    if (found instanceof HTMLElement) found.click();
  };
  /** Open the fields of a message. @param {Element | null | undefined} details */
  const edit = (details) => {
    if (!(details instanceof HTMLDetailsElement)) return;
    details.open = true;
    const field = details.querySelector("textarea");
    field?.focus();
    field?.setSelectionRange(field.value.length, field.value.length);
  };
  /** @type {Record<string, () => void>} */
  const actions = {
    j: () => move(1),
    k: () => move(-1),
    "[": () => press('[data-turn="previous"]:enabled'),
    "]": () => press('[data-turn="following"]:enabled'),
    a: () => press('[data-do="again"]'),
    o: () => press('[data-do="continue"]'),
    "+": () => press('.rating button[data-rate="up"]'),
    "-": () => press('.rating button[data-rate="down"]'),
    c: () => edit(current()?.closest(".exchange")?.querySelector('[data-edit="answer"]')),
  };
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    if (isComposing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    const { target } = event;
    if (event.key === "ArrowUp" && target instanceof HTMLTextAreaElement && target.id === "message" && !target.value) {
      event.preventDefault();
      return edit([...root.querySelectorAll('[data-edit="question"]')].at(-1));
    }
    if (event.key === "Escape" && target instanceof HTMLElement) return leave(target);
    if (!("keys" in document.documentElement.dataset) || isTyping(target) || !(event.key in actions)) return;
    event.preventDefault();
    actions[event.key]();
  };
  /** Close the fields in which somebody is; what was typed stays in them. @param {HTMLElement} target */
  const leave = (target) => {
    const details = target.closest("details.message-edit");
    if (!(details instanceof HTMLDetailsElement)) return;
    details.open = false;
    details.querySelector("summary")?.focus();
  };
  /** Fields that are opened are written into at once. @param {Event} event */
  const opened = ({ target }) => {
    if (!(target instanceof HTMLDetailsElement) || !target.open || !target.matches(".message-edit")) return;
    if (target.contains(document.activeElement) && document.activeElement?.matches("textarea")) return;
    edit(target);
  };
  /** @param {FocusEvent} event */
  const focus = ({ target }) => {
    place = target instanceof Node ? messages().findIndex((one) => one.contains(target)) : -1;
  };
  if (document.activeElement === document.body) messages()[place]?.focus({ preventScroll: true });
  root.addEventListener("toggle", opened, true);
  document.addEventListener("focusin", focus);
  document.addEventListener("keydown", key);
  return () => {
    document.removeEventListener("focusin", focus);
    document.removeEventListener("keydown", key);
  };
}
