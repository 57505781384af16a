// @ts-check
/** How the curves of a run look: what is drawn in which ink, and axes that can be read in both themes. */

/** Front first. The raw loss is faint, behind its own moving average. */
export const DRAWN = [
  { name: "validation/loss", label: "validation", ink: "--warn", width: 2.5, point: 2.5, smooth: false },
  { name: "train/loss", label: "training, smoothed", ink: "--accent", width: 1.75, point: 0, smooth: true },
  { name: "train/loss", label: "training, each step", ink: "--accent-faint", width: 1, point: 0, smooth: false },
];

/** Of runs beside each other: a run differs from the next by ink and by dash. */
export const INKS = ["--accent", "--warn", "--good", "--bad", "--info", "--text"];
export const DASHES = [[], [7, 4], [2, 3], [12, 4], [8, 3, 2, 3], [4, 2]];

/** A token is light-dark(): only an element has one colour. @param {HTMLCanvasElement} canvas @param {string} token */
export function inkOf(canvas, token) {
  canvas.style.color = `var(${token})`;
  return getComputedStyle(canvas).color;
}

/** @param {typeof DRAWN[number]} curve @param {number} order @param {HTMLCanvasElement} canvas */
export function dataset({ label, ink: token, width, point }, order, canvas) {
  const borderColor = inkOf(canvas, token);
  return { label, order, data: [], spanGaps: true, borderColor, backgroundColor: borderColor, borderWidth: width, pointRadius: point };
}

/** @param {HTMLCanvasElement} canvas @param {{ x: string, y: string, isLog: boolean }} [axes] */
export function options(canvas, axes = { x: "step", y: "loss", isLog: false }) {
  const [color, line] = [inkOf(canvas, "--text"), inkOf(canvas, "--quiet-line")];
  const axis = (/** @type {string} */ text, type = "linear") => ({ type, title: { display: true, text, color }, ticks: { color }, grid: { color: line } });
  const scales = { x: axis(axes.x), y: axis(axes.y, axes.isLog ? "logarithmic" : "linear") };
  return { animation: false, parsing: false, normalized: true, maintainAspectRatio: false, color, scales };
}
