// @ts-check
/** Show the turn that a rule objects to; in the drawer only the drawer scrolls. */

/** @param {HTMLElement} root */
export function attach(root) {
  const target = root.dataset.reveal && document.getElementById(root.dataset.reveal);
  const drawer = root.closest(".drawer");
  if (!target) return;
  if (drawer) drawer.scrollTop += target.getBoundingClientRect().top - drawer.getBoundingClientRect().top - 72;
  else target.scrollIntoView({ block: "nearest" });
}
