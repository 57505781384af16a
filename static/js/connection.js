// @ts-check
/** Say in words how the live line stands; silent while nothing needed it. */
const WORDS = { live: "● live", offline: "○ offline, retrying" };

/** @param {HTMLElement} root @param {Socket} socket */
export function attach(root, socket) {
  /** @param {Event} event */
  const show = (event) => {
    const state = /** @type {"live" | "offline"} */ (/** @type {CustomEvent} */ (event).detail);
    root.hidden = false;
    root.dataset.state = state;
    root.textContent = WORDS[state];
  };
  const stopHearing = new AbortController();
  document.addEventListener("otto:connection", show, { signal: stopHearing.signal });
  document.addEventListener("htmx:wsOpen", () => show(new CustomEvent("", { detail: "live" })), { signal: stopHearing.signal });
  document.addEventListener("htmx:wsClose", () => show(new CustomEvent("", { detail: "offline" })), { signal: stopHearing.signal });
  if (socket.isLive) show(new CustomEvent("", { detail: "live" })); // it was open before anybody heard
  return () => stopHearing.abort();
}
