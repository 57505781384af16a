// @ts-check
/** One box that selects every row of the page. */

/** @param {HTMLInputElement} root */
export function attach(root) {
  const boxes = () => /** @type {NodeListOf<HTMLInputElement>} */ (root.form?.querySelectorAll("input[name=row]") ?? []);
  const change = () => {
    for (const box of boxes()) box.checked = root.checked;
  };
  root.hidden = false;
  root.addEventListener("change", change);
}
