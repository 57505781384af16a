// @ts-check
/** Show every question of this chat once, whichever tab it was asked in. */
import { lastAnswer } from "./asking.js";
import { scrollToEnd } from "./transcript.js";

/** @param {HTMLElement} root @param {Socket} socket */
export function attach(root, socket) {
  const chat = root.dataset.chat ?? "";
  /** @type {Set<string>} */
  const coming = new Set();
  let isStale = false;

  /** @param {string} msg */
  const add = (msg) => {
    if (coming.has(msg) || document.getElementById(`exchange-${msg}`)) return;
    coming.add(msg);
    const how = { target: "#transcript", swap: "beforeend" };
    window.htmx.ajax("GET", `${root.dataset.exchangeUrl}${msg}/`, how).finally(() => coming.delete(msg));
  };
  /** Another branch is shown now; what somebody is writing about this one is not taken away. */
  const readAll = () => {
    isStale = root.querySelector("details.message-edit[open]") !== null;
    if (isStale) return;
    root.dispatchEvent(new CustomEvent("otto:stale")); // the template says from where
  };
  /** An edit field closed: now the other branch can be shown. */
  const closed = () => {
    if (isStale) readAll();
  };
  /** A form's own answer may bring an exchange that a notification brought too. */
  const tidy = () => {
    const seen = new Set();
    for (const one of root.querySelectorAll(":scope > .exchange")) {
      if (seen.has(one.id)) one.remove();
      seen.add(one.id);
    }
  };
  /** The first question names the chat: in the heading, and so among the others. */
  const name = () => {
    const listed = document.querySelector(".chat-titles [aria-current] bdi");
    if (listed) listed.textContent = document.getElementById("chat-name")?.textContent ?? "";
  };
  /** Notifications may be missed: ask for what came after the last exchange here. */
  const look = () => {
    if (!root.isConnected) return;
    socket.send({ op: "look", chat, after: lastAnswer() });
  };
  const seen = () => {
    if (document.visibilityState === "visible" && socket.isLive) look();
  };
  /** @param {ChatFrame} frame */
  const hear = (frame) => {
    if (frame.t === "branch" && frame.chat === chat) readAll();
    if (frame.t === "accepted" || (frame.t === "asked" && frame.chat === chat && !isStale)) add(frame.msg);
  };
  root.addEventListener("htmx:afterSwap", tidy);
  root.addEventListener("htmx:afterSettle", name);
  root.addEventListener("toggle", closed, true);
  document.addEventListener("visibilitychange", seen);
  const unfollow = socket.follow("", { opened: look, frame: hear });
  scrollToEnd();
  return () => {
    document.removeEventListener("visibilitychange", seen);
    unfollow();
  };
}
