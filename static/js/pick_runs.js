// @ts-check
/** Say how many runs are selected, and keep them in the address, so that a reload or a link has them too. */

const [FEWEST, MOST] = [2, 6];

/** @param {HTMLElement} root */
export function attach(root) {
  const form = /** @type {HTMLFormElement} */ (root);
  const words = /** @type {HTMLElement} */ (form.querySelector("[role=status]"));
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
  const chosen = () => new FormData(form).getAll("run").map(String);

  function show() {
    const count = chosen().length;
    button.disabled = count < FEWEST || count > MOST;
    words.textContent = count > MOST ? `${count} are selected; ${MOST} fit side by side.`
      : count >= FEWEST ? `${count} runs side by side.`
      : count ? "One is selected; select another one." : "Select two runs or more to compare them.";
  }
  /** @param {Event} event */
  function change(event) {
    if (/** @type {HTMLInputElement} */ (event.target).form !== form) return;
    const query = new URLSearchParams(window.location.search);
    query.delete("run");
    for (const key of chosen()) query.append("run", key);
    window.history.replaceState(window.history.state, "", `?${query}`);
    show();
  }

  document.addEventListener("change", change);
  show();
  return () => document.removeEventListener("change", change);
}
