// @ts-check
/** Scroll the drawer to the turn that a rule objects to. */

/** @param {HTMLElement} root */
export function attach(root) {
  const target = root.dataset.reveal && document.getElementById(root.dataset.reveal);
  if (target) target.scrollIntoView({ block: "nearest" });
}
