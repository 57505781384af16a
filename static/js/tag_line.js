// @ts-check
/** Tagging by key: the field below the table is there at once, so that no letter goes astray. */

/**
 * `leave` does something to the table once all is saved; `back` gives the cursor back to its row.
 * @param {HTMLElement} root @param {() => string} current
 * @param {(act: () => void) => void} leave @param {() => void} back
 */
export function tagLine(root, current, leave, back) {
  const field = () => /** @type {HTMLInputElement | null} */ (root.querySelector("#bulk-tag"));
  /** With what was typed while the table was on its way. @param {import("./key_line.js").Typed} typed */
  const open = ({ text, end }) => {
    const words = field();
    if (!words || end === "Escape") return;
    words.focus();
    if (text) words.value = text;
    if (end) finish();
  };
  const send = () => {
    const box = root.querySelector(`tr[data-row="${current()}"] input[name=row]`);
    const any = root.querySelector("input[name=row]:checked");
    if (!any && box instanceof HTMLInputElement) box.checked = true;
    const button = root.querySelector('.bulk button[value="tag"]');
    if (button instanceof HTMLElement) leave(() => button.click());
  };
  const finish = () => {
    if (field()?.value.trim()) send();
    back();
  };
  /** @param {KeyboardEvent} event */
  const press = (event) => {
    if (event.target !== field() || event.isComposing || !["Enter", "Escape"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Enter") finish();
    else back();
  };
  root.addEventListener("keydown", press, true);
  return { open };
}
