// @ts-check
/** Show `<time data-when>` as "2 min ago" up to a week, then as date and time, in the viewer's zone. */
const STEPS = /** @type {[number, string][]} */ ([[60, "s"], [3600, "min"], [86400, "h"], [604800, "d"]]);
const zone = document.documentElement.dataset.zone || undefined;
const long = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short", timeZone: zone });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long", timeZone: zone });

/** @param {Date} then @returns {string} */
function words(then) {
  const seconds = (Date.now() - then.getTime()) / 1000;
  if (seconds < -5 || seconds >= 604800) return long.format(then);
  if (seconds < 10) return "just now";
  const size = STEPS.findIndex(([limit]) => seconds < limit);
  const unit = size === 0 ? 1 : STEPS[size - 1][0];
  return `${Math.floor(seconds / unit)} ${STEPS[size][1]} ago`;
}

/** @param {ParentNode} root */
export function showTimes(root) {
  for (const element of root.querySelectorAll("time[data-when]")) {
    const then = new Date(element.getAttribute("datetime") ?? "");
    const said = words(then);
    if (element.textContent !== said) element.textContent = said;
    element.setAttribute("title", full.format(then));
  }
}

setInterval(() => showTimes(document), 15000);
