// @ts-check
/** Show beside a slider where it stands. */

/** @param {HTMLElement} root */
export function attach(root) {
  const slider = /** @type {HTMLInputElement | null} */ (root.querySelector("input[type=range]"));
  if (!slider) return;
  const told = document.createElement("output");
  told.htmlFor.add(slider.id);
  const tell = () => {
    told.value = Number(slider.value).toFixed(2);
  };
  tell();
  slider.addEventListener("input", tell);
  slider.after(told);
  return () => {
    slider.removeEventListener("input", tell);
    told.remove();
  };
}
