// @ts-check
/** A slider shows its value beside it. */

/** @param {HTMLInputElement} root */
export function attach(root) {
  const output = root.parentElement?.querySelector("output");
  const tell = () => {
    if (output) output.textContent = Number(root.value).toFixed(2);
  };
  tell();
  root.addEventListener("input", tell);
  return () => root.removeEventListener("input", tell);
}
