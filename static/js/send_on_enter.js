// @ts-check
/** Enter sends, Shift+Enter makes a line; what is typed while an answer is written waits. */
/** @param {HTMLTextAreaElement} root */
export function attach(root) {
  /** @param {KeyboardEvent} event */
  const press = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    const button = root.form?.querySelector(".button-primary");
    const canSend = button instanceof HTMLElement && button.offsetParent !== null;
    if (canSend && root.value.trim()) root.form?.requestSubmit(button);
  };
  root.addEventListener("keydown", press);
  return () => root.removeEventListener("keydown", press);
}
