// @ts-check
/** The drop zone: takes files, sends two at a time, and shows each one's way in words and as a bar. */
import { tusFile } from "./tus_file.js";

const AT_ONCE = 2;

/** @param {number} bytes */
const size = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

/** @type {Record<string, (sent: number, file: File) => string>} */
const WORDS = {
  waiting: () => "waiting for its turn",
  sending: (sent, file) => `${size(sent)} of ${size(file.size)}`,
  paused: (sent, file) => `paused at ${size(sent)} of ${size(file.size)}`,
  retrying: () => "connection lost, trying again",
  full: () => "the disk takes nothing now, trying again",
  busy: () => "not taken yet, trying again",
  arrived: () => "arrived; the list below tells what came of it",
  refused: () => "not accepted",
  cancelled: () => "cancelled; what had arrived is removed",
};
const OVER = new Set(["arrived", "refused", "cancelled"]);

/** @param {HTMLElement} root */
export function attach(root) {
  const input = /** @type {HTMLInputElement} */ (root.querySelector("input[type=file]"));
  const target = /** @type {HTMLElement} */ (root.querySelector("[data-target]"));
  const list = /** @type {HTMLElement} */ (root.querySelector("[data-list]"));
  const row = /** @type {HTMLTemplateElement} */ (root.querySelector("[data-row]"));
  const dataset = /** @type {HTMLSelectElement | null} */ (root.querySelector("[name=dataset]"));
  const token = /** @type {HTMLInputElement} */ (root.querySelector("[name=csrfmiddlewaretoken]"));
  /** @type {(() => Promise<void>)[]} */
  const queue = [];
  let busy = 0;

  function next() {
    while (busy < AT_ONCE && queue.length) {
      busy += 1;
      queue.shift()?.().finally(() => {
        busy -= 1;
        next();
      });
    }
  }

  /** @param {File} file */
  function add(file) {
    const item = /** @type {HTMLElement} */ (row.content.cloneNode(true)).firstElementChild;
    if (!(item instanceof HTMLElement)) return;
    const bar = /** @type {HTMLProgressElement} */ (item.querySelector("[data-bar]"));
    const words = /** @type {HTMLElement} */ (item.querySelector("[data-words]"));
    const pause = /** @type {HTMLButtonElement} */ (item.querySelector("[data-pause]"));
    const cancel = /** @type {HTMLButtonElement} */ (item.querySelector("[data-cancel]"));
    let state = "waiting";
    /** @param {import("./tus_file.js").State} now @param {number} sent @param {string} [why] */
    const show = (now, sent, why = "") => {
      state = now;
      bar.value = file.size ? (1000 * sent) / file.size : 1000;
      words.textContent = [WORDS[now](sent, file), why].filter(Boolean).join(": ");
      words.className = now === "refused" ? "error" : "hint";
      pause.textContent = now === "paused" ? "Continue" : "Pause";
      pause.hidden = cancel.hidden = OVER.has(now);
      if (now === "arrived") document.body.dispatchEvent(new Event("upload-arrived"));
    };
    const purpose = root.dataset.purpose ?? "";
    const way = { endpoint: root.dataset.endpoint ?? "", chunk: Number(root.dataset.chunk), purpose };
    const sending = tusFile(file, { ...way, token: token.value, dataset: dataset?.value ?? "", show });
    const start = () => (state === "waiting" ? sending.run() : Promise.resolve());
    pause.onclick = () => {
      if (state !== "paused") return sending.pause();
      show("waiting", 0);
      queue.push(start);
      return next();
    };
    cancel.onclick = () => sending.cancel();
    const name = item.querySelector("[data-name]");
    if (name) name.textContent = file.name;
    list.append(item);
    show("waiting", 0);
    queue.push(start);
    next();
  }

  /** @param {FileList | null | undefined} files */
  const addAll = (files) => [...(files ?? [])].forEach(add);
  const choose = () => {
    addAll(input.files);
    input.value = "";
  };
  /** @param {DragEvent} event */
  const drag = (event) => {
    event.preventDefault();
    target.classList.toggle("is-over", event.type === "dragover");
    if (event.type === "drop") addAll(event.dataTransfer?.files);
  };
  input.addEventListener("change", choose);
  for (const kind of ["dragover", "dragleave", "drop"]) {
    root.addEventListener(kind, /** @type {EventListener} */ (drag));
  }
  const plain = root.querySelector("[data-plain]");
  if (plain instanceof HTMLElement) plain.hidden = true;
  choose(); // what was chosen while this script was still on its way
}
