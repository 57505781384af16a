// @ts-check
/** Attach every behaviour that the page names, and let go of those whose element went. */
import "./busy.js";
import { socket } from "./socket.js";
import { showTimes } from "./times.js";

/** @type {Map<Element, () => void>} */
const cleanups = new Map();
/** @type {WeakSet<Element>} */
const seen = new WeakSet();

/** @param {HTMLElement} element */
async function attachOne(element) {
  seen.add(element);
  for (const name of (element.dataset.behaviour ?? "").split(" ").filter(Boolean)) {
    const { attach } = await import(`./${name}.js`);
    const cleanup = attach(element, socket);
    const before = cleanups.get(element);
    if (cleanup) cleanups.set(element, before ? () => (before(), cleanup()) : cleanup);
  }
  element.dataset.attached = ""; // from here on it hears keys
}

function letGo() {
  for (const [element, cleanup] of cleanups) {
    if (element.isConnected) continue;
    cleanups.delete(element);
    cleanup();
  }
}

/** @param {ParentNode} root */
function attachAll(root) {
  const found = [...root.querySelectorAll("[data-behaviour]")];
  if (root instanceof HTMLElement && root.dataset.behaviour) found.push(root);
  for (const element of found) {
    if (element instanceof HTMLElement && !seen.has(element)) attachOne(element);
  }
  showTimes(root);
}

document.addEventListener("htmx:load", (event) => {
  letGo();
  attachAll(event.detail.elt);
});
attachAll(document);
