// @ts-check
/** How the curves of a run look: what is drawn in which ink, and axes that can be read in both themes. */

/** Front first. The raw loss is faint, behind its own moving average. */
export const DRAWN = [
  { name: "validation/loss", label: "validation", ink: "--warn", width: 2.5, point: 2.5, smooth: false },
  { name: "train/loss", label: "training, smoothed", ink: "--accent", width: 1.75, point: 0, smooth: true },
  { name: "train/loss", label: "training, each step", ink: "--accent-faint", width: 1, point: 0, smooth: false },
];

/** A token is light-dark(): only an element has one colour. @param {HTMLCanvasElement} canvas @param {string} token */
function ink(canvas, token) {
  canvas.style.color = `var(${token})`;
  return getComputedStyle(canvas).color;
}

/** @param {typeof DRAWN[number]} curve @param {number} order @param {HTMLCanvasElement} canvas */
export function dataset({ label, ink: token, width, point }, order, canvas) {
  const borderColor = ink(canvas, token);
  return { label, order, data: [], spanGaps: true, borderColor, backgroundColor: borderColor, borderWidth: width, pointRadius: point };
}

/** @param {HTMLCanvasElement} canvas */
export function options(canvas) {
  const [color, line] = [ink(canvas, "--text"), ink(canvas, "--quiet-line")];
  const axis = (/** @type {string} */ text) => ({ type: "linear", title: { display: true, text, color }, ticks: { color }, grid: { color: line } });
  const scales = { x: axis("step"), y: axis("loss") };
  return { animation: false, parsing: false, normalized: true, maintainAspectRatio: false, color, scales };
}
