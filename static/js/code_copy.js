// @ts-check
/** A button on each piece of code that copies it. */

/** @param {HTMLElement} root */
export function attach(root) {
  for (const code of root.querySelectorAll("pre")) {
    const [frame, button] = [document.createElement("div"), document.createElement("button")];
    frame.className = "markdown-code";
    Object.assign(button, { type: "button", className: "chip", textContent: "Copy" });
    button.addEventListener("click", () => copy(code, button));
    code.replaceWith(frame);
    frame.append(code, button);
  }
}

/** @param {HTMLElement} code @param {HTMLElement} button */
async function copy(code, button) {
  try {
    await navigator.clipboard.writeText(code.textContent ?? "");
    button.textContent = "Copied";
  } catch {
    getSelection()?.selectAllChildren(code); // no clipboard without TLS
    button.textContent = "Marked: press Ctrl+C";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 2500);
}
