// @ts-check
/** A link or button that opens the `<dialog>` named by data-dialog; focus returns by itself when it closes. */
/** @param {HTMLElement} root */
export function attach(root) {
  /** @param {Event} event */
  const open = (event) => {
    const dialog = document.getElementById(root.dataset.dialog ?? "");
    if (!(dialog instanceof HTMLDialogElement)) return;
    event.preventDefault();
    dialog.showModal();
  };
  root.addEventListener("click", open);
  return () => root.removeEventListener("click", open);
}
