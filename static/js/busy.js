// @ts-check
/** Mark what waits for the server as busy, and say in words when a request did not come through. */
const SENTENCES = /** @type {Record<number, string>} */ ({
  401: "You are signed out. What you typed is still here: sign in in another tab, then try again.",
  403: "Your role does not allow this, or the page is too old: reload it. Nothing was changed.",
  404: "This is gone, or not yours. Reload the page to see how things stand.",
  409: "Somebody else changed this first. Reload the page to see both.",
  413: "That is larger than the server takes. Nothing was changed.",
  429: "Too many requests at once. Wait a moment and try again.",
  503: "The server is busy. Nothing is lost; try again in a moment.",
});
const AWAY = "The server does not answer. What you typed is still here; try again in a moment.";
const FAULT = "Something went wrong on our side. Try again; if it happens twice, give the admin this number:";

/** @param {string} sentence */
export function say(sentence) {
  const place = document.getElementById("messages");
  if (!place) return;
  const line = document.createElement("p");
  line.className = "notice notice-bad";
  line.textContent = sentence;
  place.replaceChildren(line);
}

/** Say why an answer with this status changed nothing. @param {number} status @param {string | null} number */
export function sayStatus(status, number) {
  say(SENTENCES[status] ?? `${FAULT} ${number ?? status}`);
}

/** @param {CustomEvent<HtmxDetail>} event @param {boolean} isBusy */
function mark(event, isBusy) {
  const { target } = event.detail;
  if (!(target instanceof HTMLElement)) return;
  if (isBusy) target.setAttribute("aria-busy", "true");
  else target.removeAttribute("aria-busy");
}

document.addEventListener("htmx:beforeRequest", (event) => mark(event, true));
document.addEventListener("htmx:afterRequest", (event) => mark(event, false));
document.addEventListener("htmx:sendError", () => say(AWAY));
document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  sayStatus(xhr.status, xhr.getResponseHeader("X-Request-ID"));
});
// A page that Back takes out of the browser's store was left while it waited: its answer never came.
addEventListener("pageshow", (event) => {
  if (event.persisted && document.querySelector('[aria-busy="true"]')) location.reload();
});
