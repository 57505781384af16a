// @ts-check
/** Send a message over the tab's line while it is live, else as the form that it is; stop with Esc. */
const PATIENCE = 6000;
const NUMBERS = ["temperature", "top_k", "top_p", "new_tokens", "seed"];

/** A random UUID: `crypto.randomUUID` is missing where there is no TLS. */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** The settings as they stand in their form. @returns {Record<string, number>} */
function params() {
  const found = /** @type {Record<string, number>} */ ({});
  for (const name of NUMBERS) {
    const field = document.querySelector(`#chat-settings [name="${name}"]`);
    if (field instanceof HTMLInputElement && field.value !== "") found[name] = Number(field.value);
  }
  return found;
}

/** The answer that is being written. */
const openAnswer = () => document.querySelector("[data-generation]");

/** @param {HTMLFormElement} root @param {import("./socket.js").socket} socket */
export function attach(root, socket) {
  const message = /** @type {HTMLTextAreaElement} */ (root.elements.namedItem("text"));
  const key = /** @type {HTMLInputElement} */ (root.elements.namedItem("idem"));
  const error = /** @type {HTMLElement} */ (root.querySelector("[data-error]"));
  let patience = 0;
  let isByForm = false;

  /** @param {string} sentence */
  const complain = (sentence) => {
    error.textContent = sentence;
    error.hidden = !sentence;
  };
  const sent = () => {
    clearTimeout(patience);
    complain("");
    message.value = "";
    key.value = uuid();
    message.focus();
  };
  const sendByForm = () => {
    isByForm = true; // the same key: what arrived already is not asked twice
    root.requestSubmit();
    isByForm = false;
  };
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    const text = message.value.trim();
    if (isByForm || !text || !socket.isLive || event.submitter?.matches(".composer-stop")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    clearTimeout(patience);
    patience = setTimeout(sendByForm, PATIENCE);
    socket.send({ op: "send", chat: root.dataset.chat, text, params: params(), idem: key.value });
  };
  /** @param {any} frame */
  const hear = (frame) => {
    if (frame.idem !== key.value) return;
    clearTimeout(patience);
    if (frame.t === "error") complain(frame.text);
    if (frame.t !== "accepted") return;
    sent();
    const url = `${root.dataset.exchangeUrl}${frame.msg}/`;
    Reflect.get(window, "htmx").ajax("GET", url, { target: "#transcript", swap: "beforeend" });
  };
  /** @param {Event} event */
  const stop = (event) => {
    const answer = openAnswer();
    if (!(answer instanceof HTMLElement) || !socket.isLive) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    socket.send({ op: "stop", gen: answer.dataset.generation });
  };
  /** @param {Event} event */
  const click = (event) => {
    if (event.target instanceof Element && event.target.closest(".composer-stop")) stop(event);
  };
  /** @param {KeyboardEvent} event */
  const press = (event) => {
    if (event.key !== "Escape" || document.querySelector("dialog[open], [popover]:popover-open")) return;
    if (openAnswer()) root.querySelector(".composer-stop")?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
  };
  /** @param {Event} event */
  const answered = (event) => {
    const { elt, successful, xhr } = /** @type {CustomEvent} */ (event).detail;
    if (elt === root && successful && xhr.status === 200) sent();
  };
  root.addEventListener("submit", submit, true);
  root.addEventListener("click", click, true);
  root.addEventListener("htmx:afterRequest", answered);
  document.addEventListener("keydown", press);
  const unfollow = socket.follow("", { frame: hear });
  if (document.querySelector(".exchange")) scrollTo(0, document.documentElement.scrollHeight);
  if (!matchMedia("(pointer: coarse)").matches) message.focus({ preventScroll: true });
  return () => {
    clearTimeout(patience);
    document.removeEventListener("keydown", press);
    unfollow();
  };
}
