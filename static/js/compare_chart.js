// @ts-check
/** Draw the curves of several runs over each other: validation in front, training faint behind. */
import { DASHES, INKS, inkOf, options } from "./chart_look.js";
import { smoothed } from "./smoothed.js";

/** @type {Record<string, number>} */
const MEMORY = { none: 0, some: 30, much: 8 };
const SPEED = "train/tokens_per_second";

/** @typedef {{ letter: string, tokens: number, curves: Map<string, Map<number, number | null>>, seq: number, over: boolean, url: string }} Run */

/** Begin as soon as Chart.js is there. @param {HTMLElement} root */
export function attach(root) {
  let stop = () => {};
  const begin = () => void (stop = follow(/** @type {HTMLFormElement} */ (root)));
  if ("Chart" in window) begin();
  else window.addEventListener("load", begin, { once: true });
  return () => stop();
}

/** @param {HTMLFormElement} form */
function follow(form) {
  const card = /** @type {HTMLElement} */ (form.parentElement);
  const box = /** @type {HTMLElement} */ (card.querySelector("[data-compare-chart]"));
  const canvas = /** @type {HTMLCanvasElement} */ (box.querySelector("canvas"));
  const state = /** @type {HTMLElement} */ (box.querySelector("[data-compare-state]"));
  const keys = /** @type {NodeListOf<HTMLElement>} */ (card.querySelectorAll("[data-compare-run]"));
  /** @type {Run[]} */
  const runs = [...keys].map(({ dataset: { compareRun, pointsUrl, tokens } }) => (
    { letter: compareRun ?? "", url: pointsUrl ?? "", tokens: Number(tokens), curves: new Map(), seq: 0, over: false }
  ));
  const Chart = /** @type {NonNullable<Window["Chart"]>} */ (window.Chart);
  let [chart, timer] = [/** @type {LineChart | null} */ (null), 0];
  box.hidden = false;
  card.querySelector("[data-compare-fallback]")?.setAttribute("hidden", "");

  function draw() {
    const wanted = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
    const datasets = runs.flatMap((run, order) => lines(run, order, wanted));
    const words = { step: "step", tokens: "tokens", time: "minutes of training" }[wanted.x] ?? "step";
    const look = options(canvas, { x: words, y: wanted.y === "loss" ? "loss" : "bits per byte", isLog: Boolean(wanted.log) });
    chart?.destroy();
    const plugins = { legend: { display: false } }; // stands above, with the dashes
    chart = new Chart(canvas, { type: "line", data: { datasets }, options: { ...look, plugins } });
  }

  /** @param {Run} run @param {number} order @param {Record<string, string>} wanted */
  function lines(run, order, wanted) {
    const place = placing(run, wanted.x);
    const isLoss = wanted.y === "loss";
    const front = line(run, isLoss ? "validation/loss" : "validation/bits_per_byte", place);
    const color = inkOf(canvas, INKS[order]);
    const shared = { parsing: false, spanGaps: true, borderColor: color, backgroundColor: color };
    const found = [{ ...shared, label: `${run.letter} validation`, order, data: front, borderWidth: 2.5, pointRadius: front.length < 40 ? 2 : 0, borderDash: DASHES[order] }];
    if (!isLoss) return found;
    const behind = line(run, "train/loss", place, MEMORY[wanted.smooth] ?? MEMORY.some);
    const faint = `color-mix(in srgb, ${color} 45%, transparent)`;
    return [...found, { ...found[0], label: `${run.letter} training`, order: 10 + order, data: behind, borderColor: faint, borderWidth: 1.25, pointRadius: 0 }];
  }

  async function look() {
    const answers = await Promise.allSettled(runs.filter(({ over }) => !over).map(fill));
    state.textContent = answers.some(({ status }) => status === "rejected") ? "offline, retrying" : "";
    draw();
    if (runs.some(({ over }) => !over)) timer = window.setTimeout(look, 5000);
  }
  function change() {
    const asked = new URLSearchParams(/** @type {any} */ (new FormData(form)));
    window.history.replaceState(window.history.state, "", `?${asked}`);
    draw();
  }

  form.addEventListener("change", change);
  look();
  return () => (window.clearTimeout(timer), chart?.destroy());
}

/** @param {Run} run */
async function fill(run) {
  const answer = await fetch(`${run.url}?from=${run.seq}`, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  const frame = await answer.json();
  for (const [name, step, value] of frame.rows ?? []) {
    if (!run.curves.has(name)) run.curves.set(name, new Map());
    run.curves.get(name)?.set(step, value);
  }
  run.seq = Math.max(run.seq, frame.upto ?? 0);
  run.over = Boolean(frame.over);
}

/** @param {Run} run @param {string} name @param {(step: number) => number} place @param {number} [memory] */
function line(run, name, place, memory = 0) {
  const points = [...(run.curves.get(name) ?? [])].sort((a, b) => a[0] - b[0]);
  return (memory ? smoothed(points, memory) : points).map(([step, y]) => ({ x: place(step), y }));
}

/** Where a step stands: by itself, by tokens, or by the minutes that they took. @param {Run} run @param {string} along */
function placing({ tokens, curves }, along) {
  if (along === "tokens") return (/** @type {number} */ step) => step * tokens;
  if (along !== "time") return (/** @type {number} */ step) => step;
  const speeds = [...(curves.get(SPEED) ?? [])].filter(([, value]) => value).sort((a, b) => a[0] - b[0]);
  const reached = [[0, 0]];
  for (const [step, speed] of speeds) {
    const [before, minutes] = reached[reached.length - 1];
    reached.push([step, minutes + ((step - before) * tokens) / Number(speed) / 60]);
  }
  return (/** @type {number} */ step) => {
    const next = Math.max(1, reached.findIndex(([until]) => until >= step));
    const [[low, from], [high, to]] = [reached[next - 1], reached[next] ?? [1, 0]];
    return from + ((to - from) * (step - low)) / (high - low || 1);
  };
}
