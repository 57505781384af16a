// @ts-check
/** A histogram selects a range: drag over its bars, or arrows with Shift and then Enter. */

/** @param {HTMLFormElement} root */
export function attach(root) {
  const bars = /** @type {HTMLElement[]} */ ([...root.querySelectorAll("a[data-low]")]);
  const [from, to] = /** @type {HTMLInputElement[]} */ ([...root.querySelectorAll(".histogram-ends input")]);
  let first = -1;
  let last = -1;

  /** @param {EventTarget | null} target */
  const place = (target) => {
    const bar = target instanceof Element ? target.closest("a[data-low]") : null;
    return bar instanceof HTMLElement ? bars.indexOf(bar) : -1;
  };
  /** Mark the bars between the two ends and write their range. */
  const mark = () => {
    const [low, high] = [Math.min(first, last), Math.max(first, last)];
    for (const [index, bar] of bars.entries()) {
      if (index >= low && index <= high) bar.setAttribute("aria-current", "true");
      else bar.removeAttribute("aria-current");
    }
    from.value = bars[low].dataset.low ?? "";
    to.value = bars[high].dataset.high ?? "";
  };
  /** @param {PointerEvent} event */
  const down = (event) => {
    if (event.button === 0) first = last = place(event.target);
  };
  /** @param {PointerEvent} event */
  const move = (event) => {
    const over = place(document.elementFromPoint(event.clientX, event.clientY));
    if (first < 0 || over < 0 || over === last) return;
    last = over;
    mark();
  };
  const up = () => {
    const isRange = first >= 0 && first !== last;
    first = isRange ? first : -1;
    if (isRange) root.requestSubmit();
  };
  /** A drag is no click on the bar where it ended. @param {MouseEvent} event */
  const click = (event) => {
    if (first >= 0 && first !== last && event.detail) {
      event.preventDefault();
      event.stopPropagation();
    }
    first = -1;
  };
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    const here = place(event.target);
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key] ?? 0;
    const next = bars[here + step];
    if (event.key === "Enter" && first >= 0 && first !== last) {
      event.preventDefault();
      root.requestSubmit();
    } else if (here >= 0 && step && next) {
      event.preventDefault();
      if (event.shiftKey) {
        if (first < 0) first = here;
        last = here + step;
        mark();
      } else first = last = -1;
      next.focus();
    }
  };
  const box = /** @type {HTMLElement} */ (root.querySelector(".histogram-bars"));
  box.addEventListener("pointerdown", down);
  box.addEventListener("dragstart", (event) => event.preventDefault());
  box.addEventListener("click", click, true);
  root.addEventListener("keydown", key);
  document.addEventListener("pointermove", move);
  document.addEventListener("pointerup", up);
  return () => {
    document.removeEventListener("pointermove", move);
    document.removeEventListener("pointerup", up);
  };
}
