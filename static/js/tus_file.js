// @ts-check
/** Sends one file in pieces by tus: it may be paused, go on after a reload, and be taken back. */
const LONGEST_WAIT = 30_000;
const DISK_FULL = 507;
const FINAL = new Set([400, 401, 403, 404, 413, 415]);

/** @typedef {"waiting"|"sending"|"paused"|"retrying"|"full"|"busy"|"arrived"|"refused"|"cancelled"} State */
/** @typedef {{ endpoint: string, chunk: number, token: string, dataset: string, purpose: string,
 *   show: (state: State, sent: number, words?: string) => void }} Way */

/** @param {string} text */
const encoded = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

/** @param {Blob} piece Browsers offer digests on https and on this machine only. @returns {Promise<Record<string, string>>} */
async function checksum(piece) {
  if (!crypto.subtle) return {};
  const digest = await crypto.subtle.digest("SHA-256", await piece.arrayBuffer());
  return { "Upload-Checksum": `sha256 ${btoa(String.fromCharCode(...new Uint8Array(digest)))}` };
}

/** @param {{ status?: number }} error What no answer came to has no status. @returns {State} */
const waitingWhy = ({ status }) => (status === DISK_FULL ? "full" : status ? "busy" : "retrying");

/** @param {File} file @param {Way} way */
export function tusFile(file, { endpoint, chunk, token, dataset, purpose, show }) {
  const key = `otto-upload ${purpose}${file.name} ${file.size} ${file.lastModified}`;
  let url = localStorage.getItem(key);
  const idem = `${Date.now()}-${Math.random()}`;
  let stopper = new AbortController();
  let wants = "sending";
  let offset = 0;
  let failures = 0;

  /** @param {string} method @param {string} address @param {Record<string, string>} headers @param {BodyInit} [body] */
  async function ask(method, address, headers = {}, body = undefined) {
    const all = { "Tus-Resumable": "1.0.0", "X-CSRFToken": token, ...headers };
    const answer = await fetch(address, { method, headers: all, body, signal: stopper.signal });
    if (answer.ok) return answer;
    const words = method === "HEAD" ? "" : await answer.text();
    throw Object.assign(new Error(words.slice(0, 300)), { status: answer.status });
  }

  const forget = () => (localStorage.removeItem(key), (url = null));

  async function open() {
    const pairs = { filename: file.name, filetype: file.type, dataset, purpose, idem };
    const known = Object.entries(pairs).filter(([, value]) => value);
    const metadata = known.map(([name, value]) => `${name} ${encoded(value)}`).join(",");
    const told = { "Upload-Length": String(file.size), "Upload-Metadata": metadata };
    const answer = await ask("POST", endpoint, told);
    localStorage.setItem(key, (url = answer.headers.get("Location") ?? ""));
    return answer;
  }

  async function find() {
    if (!url) return open();
    try {
      return await ask("HEAD", url);
    } catch (error) {
      if (![404, 410].includes(/** @type {any} */ (error).status)) throw error;
      forget();
      return open();
    }
  }

  async function sendAll() {
    offset = Number((await find()).headers.get("Upload-Offset"));
    show("sending", offset);
    while (offset < file.size) {
      const piece = file.slice(offset, offset + chunk);
      const headers = { "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(offset) };
      const answer = await ask("PATCH", url ?? "", { ...headers, ...(await checksum(piece)) }, piece);
      offset = Number(answer.headers.get("Upload-Offset"));
      failures = 0;
      show("sending", offset);
    }
    forget();
    show("arrived", offset);
  }

  /** @param {any} error */
  async function again(error) {
    const mine = stopper; // another one means: paused and continued meanwhile
    if (wants !== "sending") return false;
    if (FINAL.has(error.status)) {
      show("refused", offset, error.message || "The file was not accepted.");
      return false;
    }
    failures += 1;
    const wait = Math.min(LONGEST_WAIT, 500 * 2 ** failures) * (0.5 + Math.random() / 2);
    show(waitingWhy(error), offset, error.message.startsWith("<") ? "" : error.message);
    await new Promise((done) => setTimeout(done, wait));
    return wants === "sending" && mine === stopper;
  }

  async function run() {
    wants = "sending";
    stopper = new AbortController();
    let goes = true;
    while (goes) goes = await sendAll().then(() => false, again);
  }

  function pause() {
    wants = "paused";
    stopper.abort();
    show("paused", offset);
  }

  async function cancel() {
    wants = "cancelled";
    stopper.abort();
    stopper = new AbortController();
    if (url) await ask("DELETE", url).catch(() => undefined); // what is left expires by itself
    forget();
    show("cancelled", offset);
  }

  return { run, pause, cancel };
}
