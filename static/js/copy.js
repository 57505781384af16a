// @ts-check
/** Copy the value of the field named by data-copies, and say so on the button. */
/** @param {HTMLElement} root */
export function attach(root) {
  const before = root.textContent ?? "";
  const copy = async () => {
    const field = document.getElementById(root.dataset.copies ?? "");
    if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) return;
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      root.textContent = "Copied";
    } catch {
      root.textContent = "Marked: press Ctrl+C"; // no clipboard without TLS
    }
    setTimeout(() => { root.textContent = before; }, 2500);
  };
  root.addEventListener("click", copy);
  return () => root.removeEventListener("click", copy);
}
