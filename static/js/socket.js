// @ts-check
/**
 * The tab's one chat socket: opened on first use, opened again after a loss.
 * `follow(gen, {opened, frame})` hears the frames of one generation; `follow("", …)` hears every frame.
 * The document says how it stands: event `otto:connection`, detail "live" | "offline".
 */
/** @typedef {{opened?: () => void, frame: (frame: ChatFrame) => void}} Follower */
const REFUSED = [4401, 4403];
const LONGEST_WAIT = 15000;
/** @type {Map<string, Set<Follower>>} */
const followers = new Map();
/** @type {string[]} */
const waiting = [];
/** @type {WebSocket | null} */
let line = null;
let losses = 0;

/** @param {string} state */
const say = (state) => document.dispatchEvent(new CustomEvent("otto:connection", { detail: state }));

function open() {
  if (line) return;
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  line = new WebSocket(`${scheme}//${location.host}/ws/chat/`);
  line.addEventListener("open", onOpen);
  line.addEventListener("message", onMessage);
  line.addEventListener("close", onClose);
}

function onOpen() {
  losses = 0;
  say("live");
  for (const group of followers.values()) for (const follower of group) follower.opened?.();
  while (waiting.length) line?.send(/** @type {string} */ (waiting.shift()));
}

/** @param {MessageEvent} event */
function onMessage(event) {
  /** @type {ChatFrame} */
  const frame = JSON.parse(event.data);
  for (const name of new Set(["gen" in frame ? (frame.gen ?? "") : "", ""])) {
    for (const follower of followers.get(name) ?? []) follower.frame(frame);
  }
}

/** @param {CloseEvent} event */
function onClose(event) {
  line = null;
  say("offline");
  if (REFUSED.includes(event.code)) return; // the reason will not pass by itself
  const longest = Math.min(LONGEST_WAIT, 500 * 2 ** losses);
  losses += 1;
  setTimeout(open, longest * (0.5 + Math.random() / 2)); // jitter: tabs must not come back together
}

export const socket = {
  /** Send now, or as soon as the line is open. @param {ChatCommand} command */
  send(command) {
    const text = JSON.stringify(command);
    if (line?.readyState === WebSocket.OPEN) line.send(text);
    else waiting.push(text);
    open();
  },
  /** Hear one generation until the returned function is called. @param {string} gen @param {Follower} follower */
  follow(gen, follower) {
    const name = String(gen);
    const group = followers.get(name) ?? new Set();
    followers.set(name, group.add(follower));
    if (line?.readyState === WebSocket.OPEN) follower.opened?.();
    open();
    return () => {
      group.delete(follower);
      if (!group.size) followers.delete(name);
    };
  },
  /** Whether the line is open now. */
  get isLive() {
    return line?.readyState === WebSocket.OPEN;
  },
};
