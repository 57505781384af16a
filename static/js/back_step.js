// @ts-check
/** A step of the browser's history for what opens on a page without an address of its own: Back closes it. */

/** `undo` closes what is open. @param {() => void} undo */
export function backStep(undo) {
  let isPut = false;
  let isTaken = false;

  /** It hears Back before htmx, which would fetch the page again. @param {PopStateEvent} event */
  const back = (event) => {
    if (!isPut && !isTaken) return;
    event.stopImmediatePropagation();
    if (isPut) undo();
    isPut = isTaken = false;
  };
  const buried = () => (isPut = false); // another address came on top: Back leads to it first
  addEventListener("popstate", back, true);
  document.addEventListener("htmx:pushedIntoHistory", buried);
  return {
    put() {
      if (!isPut) history.pushState(null, "");
      isPut = true;
    },
    /** It was closed otherwise: nothing is left that Back could close. */
    take() {
      if (!isPut) return;
      [isPut, isTaken] = [false, true];
      history.back();
    },
    leave() {
      removeEventListener("popstate", back, true);
      document.removeEventListener("htmx:pushedIntoHistory", buried);
    },
  };
}
