// @ts-check
/** Send a message over the tab's line while it is live, else as the form that it is; stop with Esc. */
import { lastAnswer, params, uuid } from "./asking.js";
import { isComposing } from "./keys.js";

const PATIENCE = 6000;
const LARGEST = 60_000; // bytes; a frame of the line holds 64 KiB
const ON_ITS_WAY = "The message before this one is still on its way. This one stays here; send it in a moment.";
const IS_WRITING = "An answer is being written. Your message stays here: send it when the answer is there, or press Esc to stop it.";
const LOST = "The message could not be sent. It is back in the box; try again in a moment.";

/** @param {number} count @param {number} longest */
const tooLong = (count, longest) =>
  `The message has ${count.toLocaleString("en")} characters; ${longest.toLocaleString("en")} are allowed. Send it in parts.`;

/** Whether the line takes it; the form takes more. @param {string} text */
const fits = (text) => new TextEncoder().encode(JSON.stringify(text)).length <= LARGEST;

/** What was typed when the server put a new composer in the place of the old one. */
let leftOver = "";
/** The answer that is being written. */
const openAnswer = () => document.querySelector("[data-generation]");
/** @param {string[]} texts */
const joined = (...texts) => texts.filter((text) => text.trim()).join("\n");

/** @param {HTMLFormElement} root @param {Socket} socket */
export function attach(root, socket) {
  const message = /** @type {HTMLTextAreaElement} */ (root.elements.namedItem("text"));
  const error = /** @type {HTMLElement} */ (root.querySelector("[data-error]"));
  const longest = Number(message.dataset.longest);
  const { htmx } = window;
  /** The message on its way: the box belongs to the next one. @type {{text: string, idem: string, after: string} | null} */
  let sending = null;
  /** A message that came back: sent again as it is, it keeps its key. @type {{text: string, idem: string} | null} */
  let lost = null;
  let patience = 0;

  /** @param {string} sentence */
  const complain = (sentence) => {
    error.textContent = sentence;
    error.hidden = !sentence;
  };
  /** The message is committed, or came back. @param {string} sentence */
  const settle = (sentence) => {
    clearTimeout(patience);
    lost = sentence ? sending : null;
    if (sentence && sending) message.value = joined(sending.text, message.value);
    sending = null;
    complain(sentence);
    message.focus();
  };
  const sendByForm = () => {
    if (!sending) return;
    const values = { ...Object.fromEntries(new FormData(root)), ...sending }; // the same key: nothing is asked twice
    htmx.ajax("POST", root.action, { source: root, target: "#transcript", swap: "beforeend", values });
  };
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    if (event.submitter?.matches(".composer-stop")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const text = message.value.trim();
    if (!text) return;
    const count = [...text].length; // as the server counts
    if (count > longest) return complain(tooLong(count, longest)); // nothing that was pasted is cut off
    if (sending || openAnswer()) return complain(sending ? ON_ITS_WAY : IS_WRITING);
    sending = { text, idem: lost?.text === text ? lost.idem : uuid(), after: lastAnswer() };
    complain("");
    if (socket.isLive && fits(text)) {
      patience = setTimeout(sendByForm, PATIENCE);
      socket.send({ op: "send", chat: root.dataset.chat ?? "", params: params(), ...sending });
    } else sendByForm();
    message.value = "";
  };
  /** @param {ChatFrame} frame */
  const hear = (frame) => {
    if (!sending || !("idem" in frame) || frame.idem !== sending.idem) return;
    if (frame.t === "error") settle(frame.text);
    if (frame.t === "accepted") settle("");
  };
  /** @param {Event} event */
  const stop = (event) => {
    const answer = openAnswer();
    if (!(answer instanceof HTMLElement) || !socket.isLive) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    socket.send({ op: "stop", gen: answer.dataset.generation ?? "" });
  };
  /** @param {Event} event */
  const click = (event) => {
    if (event.target instanceof Element && event.target.closest(".composer-stop")) stop(event);
  };
  /** @param {KeyboardEvent} event */
  const press = (event) => {
    if (event.key !== "Escape" || isComposing(event)) return;
    if (event.target instanceof Element && event.target.closest("details[open]")) return; // it closes what is edited
    if (document.querySelector("dialog[open], [popover]:popover-open") || !openAnswer()) return;
    root.querySelector(".composer-stop")?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
  };
  /** @param {Event} event */
  const answered = (event) => {
    const { elt, successful, xhr } = /** @type {CustomEvent} */ (event).detail;
    if (elt !== root || !sending) return;
    if (xhr.status === 422) leftOver = message.value; // the new composer holds the message itself
    else settle(successful ? "" : LOST);
  };
  root.noValidate = true; // the box is empty while its message is on the way
  [message.value, leftOver] = [joined(message.value, leftOver), ""];
  root.addEventListener("submit", submit, true);
  root.addEventListener("click", click, true);
  root.addEventListener("htmx:afterRequest", answered);
  document.addEventListener("keydown", press);
  const unfollow = socket.follow("", { frame: hear });
  if (!matchMedia("(pointer: coarse)").matches) message.focus({ preventScroll: true });
  return () => {
    clearTimeout(patience);
    document.removeEventListener("keydown", press);
    unfollow();
  };
}
