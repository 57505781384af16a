// @ts-check
/**
 * Draw a run's curves: points come over the run's socket as JSON frames, or by polling where there
 * is no socket. Points merge by (name, step), so a repeat is harmless.
 */
import { DRAWN, dataset, options } from "./chart_look.js";
import { smoothed } from "./smoothed.js";

const [POLL_MS, DRAW_MS] = [5000, 250];
const MOST_POINTS = 5000;

/** Begin as soon as Chart.js is there. @param {HTMLElement} root */
export function attach(root) {
  let stop = () => {};
  const begin = () => void (stop = follow(root));
  if ("Chart" in window) begin();
  else window.addEventListener("load", begin, { once: true });
  return () => stop();
}

/** @param {HTMLElement} root */
function follow(root) {
  const canvas = /** @type {HTMLCanvasElement} */ (root.querySelector("canvas"));
  /** @type {Map<string, Map<number, number | null>>} */
  const curves = new Map(DRAWN.map(({ name }) => [name, new Map()]));
  const url = root.dataset.pointsUrl ?? "";
  const line = /** @type {HTMLElement | null} */ (document.querySelector("[data-run-line]"));
  const [words, hearing] = [root.querySelector("[data-chart-state]"), new AbortController()];
  let [seq, drawAt, timer, isLive, isOver] = [0, 0, 0, false, false];
  const Chart = /** @type {NonNullable<Window["Chart"]>} */ (window.Chart);
  const datasets = DRAWN.map((curve, order) => dataset(curve, order, canvas));
  const chart = new Chart(canvas, { type: "line", data: { datasets }, options: options(canvas) });
  root.hidden = false;
  root.parentElement?.querySelector("[data-chart-fallback]")?.setAttribute("hidden", "");

  /** @param {{rows?: Point[], upto?: number}} frame */
  function merge(frame) {
    for (const [name, step, value] of frame.rows ?? []) curves.get(name)?.set(step, value);
    seq = Math.max(seq, frame.upto ?? 0);
    if ([...curves.values()].some(({ size }) => size > MOST_POINTS)) {
      for (const points of curves.values()) points.clear(); // the server has them all, thinned
      seq = 0;
      look();
    }
    drawAt ||= window.setTimeout(draw, DRAW_MS);
  }

  function draw() {
    drawAt = 0;
    DRAWN.forEach(({ name, smooth }, index) => {
      const points = [...(curves.get(name) ?? [])].sort((a, b) => a[0] - b[0]);
      chart.data.datasets[index].data = (smooth ? smoothed(points) : points).map(([x, y]) => ({ x, y }));
    });
    chart.update("none");
  }

  async function poll() {
    if (!isLive && !document.hidden) {
      await look();
      document.querySelector("[data-run-poll]")?.dispatchEvent(new Event("run-poll"));
    }
    if (!isOver) timer = window.setTimeout(poll, POLL_MS);
  }
  async function look() {
    try {
      const answer = await fetch(`${url}?from=${seq}`, { headers: { accept: "application/json" } });
      if (!answer.ok) return say("offline, retrying");
      const frame = await answer.json();
      isOver = Boolean(frame.over);
      merge(frame);
      if (isOver && line) return window.location.reload();
      say(isOver ? "" : isLive ? "live" : "every 5 seconds");
    } catch {
      say("offline, retrying");
    }
  }

  const say = (/** @type {string} */ text) => words && (words.textContent = text);
  /** @param {CustomEvent<SocketDetail>} event */
  function onMessage(event) {
    if (!isLive) onOpen(event); // the line was open before Chart.js was there
    const text = String(event.detail.message);
    if (!text.startsWith("{")) return;
    event.preventDefault(); // a frame for the chart, not HTML to swap
    const frame = /** @type {RunFrame} */ (JSON.parse(text));
    if (frame.t === "points") merge(frame);
    if (frame.t === "over") window.location.reload();
  }
  /** @param {CustomEvent<SocketDetail>} event */
  function onOpen(event) {
    isLive = true;
    say("live");
    const { socketWrapper } = event.detail;
    first.then(() => socketWrapper.send(JSON.stringify(/** @type {RunCommand} */ ({ op: "from", seq }))));
  }

  const { signal } = hearing;
  line?.addEventListener("htmx:wsBeforeMessage", onMessage, { signal });
  line?.addEventListener("htmx:wsOpen", onOpen, { signal });
  line?.addEventListener("htmx:wsClose", () => ((isLive = false), say("catching up")), { signal });
  const first = look().then(poll);
  return () => (hearing.abort(), window.clearTimeout(timer), chart.destroy());
}
