// @ts-check
/** Append one generation's text to its answer. Text only: a model never writes markup. */
import { isNearEnd, scrollToEnd } from "./transcript.js";

const ACK_EVERY = 32;
const POLL = 2000;
const MOST_GAPS = 2;
const SENTENCE = /[.!?…](?=\s)/g;

/** @param {HTMLElement} root @param {Socket} socket */
export function attach(root, socket) {
  const gen = root.dataset.generation ?? "";
  const answer = /** @type {HTMLElement} */ (root.querySelector("[data-answer]"));
  const phase = /** @type {HTMLElement} */ (root.querySelector("[data-phase]"));
  const speed = /** @type {HTMLElement} */ (root.querySelector("[data-speed]"));
  const said = /** @type {HTMLElement} */ (root.querySelector("[data-said]"));
  let text = "";
  let told = 0;
  let seq = 0;
  let unacknowledged = 0;
  let gaps = 0;

  const subscribe = () => {
    if (gaps <= MOST_GAPS) socket.send({ op: "sub", gen, from: seq });
  };
  /** Fetch the exchange as its rows show it: the template says from where. */
  const refresh = () => root.dispatchEvent(new CustomEvent("otto:look"));
  /** The words so far; what the page showed at first stays until the frames have caught up. */
  const write = () => {
    const shown = answer.textContent ?? "";
    if (text.length < shown.length) return;
    const follows = isNearEnd();
    if (text.startsWith(shown)) answer.append(text.slice(shown.length));
    else answer.textContent = text;
    if (follows) scrollToEnd();
    tell();
  };
  /** Let a screen reader hear whole sentences. */
  const tell = () => {
    const end = [...text.matchAll(SENTENCE)].at(-1)?.index ?? -1;
    if (end < told) return;
    said.append(text.slice(told, end + 1));
    told = end + 1;
  };
  const acknowledge = () => {
    unacknowledged += 1;
    if (unacknowledged < ACK_EVERY) return;
    socket.send({ op: "ack", gen, seq });
    unacknowledged = 0;
  };
  /** @param {Extract<ChatFrame, {t: "d"}>} frame */
  const add = (frame) => {
    if (frame.off !== text.length) {
      gaps += 1;
      text = "";
      seq = 0;
      subscribe(); // a gap: read again from the first frame, and at last from the rows
      return;
    }
    text += frame.s;
    seq = frame.seq;
    phase.textContent = "writing";
    if (frame.tps) speed.textContent = `${Math.round(frame.tps)} tok/s`;
    write();
    acknowledge();
  };
  /** @param {ChatFrame} frame */
  const show = (frame) => {
    if (frame.t === "end" || frame.t === "error") refresh();
    else if (frame.t === "d") add(frame);
    else if (frame.t === "stat") [seq, phase.textContent] = [frame.seq, frame.phase];
    else if (frame.t === "snap") {
      text = frame.text;
      write();
    }
  };
  const poll = setInterval(() => {
    if (!socket.isLive || gaps > MOST_GAPS) refresh();
  }, POLL);
  const unfollow = socket.follow(gen, { opened: subscribe, frame: show });
  scrollToEnd();
  return () => {
    clearInterval(poll);
    unfollow();
  };
}
