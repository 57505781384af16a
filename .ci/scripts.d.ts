/** What the scripts meet besides the browser's own: htmx, Chart.js, events, frames (docs/SOCKETS.md). */

interface HtmxDetail {
  elt: HTMLElement;
  target: HTMLElement;
  xhr: XMLHttpRequest;
  successful: boolean;
}

interface HtmxRequest {
  target?: string;
  swap?: string;
  source?: HTMLElement;
  values?: Record<string, FormDataEntryValue>;
}

interface SocketDetail {
  message: string;
  socketWrapper: { send(text: string): void };
}

interface GlobalEventHandlersEventMap {
  "htmx:load": CustomEvent<HtmxDetail>;
  "htmx:beforeRequest": CustomEvent<HtmxDetail>;
  "htmx:afterRequest": CustomEvent<HtmxDetail>;
  "htmx:afterSettle": CustomEvent<HtmxDetail>;
  "htmx:sendError": CustomEvent<HtmxDetail>;
  "htmx:responseError": CustomEvent<HtmxDetail>;
  "htmx:wsOpen": CustomEvent<SocketDetail>;
  "htmx:wsClose": CustomEvent<SocketDetail>;
  "htmx:wsBeforeMessage": CustomEvent<SocketDetail>;
  "otto:connection": CustomEvent<"live" | "offline">;
  "otto:look": CustomEvent<null>;
  "otto:stale": CustomEvent<null>;
}

interface Curve {
  data: { x: number; y: number | null }[];
}

interface LineChart {
  data: { datasets: Curve[] };
  update(mode: "none"): void;
  destroy(): void;
}

interface Window {
  htmx: { ajax(verb: string, url: string, how: HtmxRequest): Promise<void> };
  Chart?: new (canvas: HTMLCanvasElement, config: object) => LineChart;
}

/** How the one chat socket of a tab is used: `static/js/socket.js`. */
type Socket = typeof import("../static/js/socket.js").socket;

type ChatCommand =
  | { op: "send"; chat: string; text: string; params: Record<string, number>; idem: string; after: string }
  | { op: "look"; chat: string; after: string }
  | { op: "sub"; gen: string; from: number }
  | { op: "ack"; gen: string; seq: number }
  | { op: "stop"; gen: string };

type ChatFrame =
  | { t: "accepted"; idem: string; gen: string; msg: string; user_msg: string }
  | { t: "asked"; chat: string; msg: string }
  | { t: "branch"; chat: string }
  | { t: "stat"; gen: string; seq: number; phase: string; ctx: number; dropped: number }
  | { t: "d"; gen: string; seq: number; off: number; s: string; tps: number }
  | { t: "snap"; gen: string; seq: number; text: string; state: string }
  | { t: "end"; gen: string; seq: number; state: string; finish: string; message: string; timings: object; dropped: number }
  | { t: "error"; code: string; text: string; idem?: string; gen?: string; msg?: string };

type RunCommand = { op: "from"; seq: number };

type Point = [name: string, step: number, value: number | null];

type RunFrame =
  | { t: "points"; upto: number; rows: Point[] }
  | { t: "over" };
