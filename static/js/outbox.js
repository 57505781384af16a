// @ts-check
/** Decisions on their way to the server: sent in the order of the keys, many in one letter. */
import { say, sayStatus } from "./busy.js";
const MOST = 100;

/** @typedef {{ row: string, decision: string, stays: () => void, goes: () => void }} Decided */

/** `tell` hears how many are not saved yet. @param {HTMLElement} root @param {(left: number) => void} tell */
export function outbox(root, tell) {
  const waiting = /** @type {Decided[]} */ ([]);
  const actions = /** @type {[number, number][]} */ ([]);
  let letter = /** @type {Decided[]} */ ([]);
  let empty = Promise.resolve(true);

  /** Answers what the server made of the letter; without it nothing counts as saved. */
  const post = async () => {
    const body = new FormData(root.querySelector("#rows-form") ?? undefined);
    body.delete("row"); // the checked boxes; of the form only its token is wanted
    for (const { row, decision } of letter) body.append("row", `${decision}:${row}`);
    const answer = await fetch(root.dataset.reviewUrl ?? "", { method: "POST", body, headers: { "HX-Request": "true" } });
    return { answer, made: answer.ok ? (await answer.json()).actions : null };
  };
  /** Nothing of what is left was taken: show the rows as they were. @param {Response | undefined} answer */
  const giveUp = (answer) => {
    const lost = [...letter, ...waiting.splice(0)];
    for (const one of lost.reverse()) one.goes();
    if (answer) sayStatus(answer.status, answer.headers.get("X-Request-ID"));
    else say(`The server does not answer. ${lost.length} decisions were not saved; decide about these rows again.`);
  };
  const send = async () => {
    let isSaved = true;
    while (isSaved && waiting.length) {
      letter = waiting.splice(0, MOST);
      const { answer, made } = await post().catch(() => ({ answer: undefined, made: null }));
      isSaved = made !== null;
      if (isSaved) actions.push(...made);
      if (!isSaved) giveUp(answer);
      else for (const one of letter) one.stays();
      letter = [];
      tell(waiting.length);
    }
    return isSaved;
  };
  /** @param {BeforeUnloadEvent} event */
  const hold = (event) => {
    if (waiting.length + letter.length) event.preventDefault();
  };
  addEventListener("beforeunload", hold);
  return {
    /** Row and action of what was decided here, the newest last. */
    actions,
    /** @param {Decided} decided */
    push(decided) {
      waiting.push(decided);
      tell(waiting.length + letter.length);
      if (letter.length === 0 && waiting.length === 1) empty = Promise.resolve().then(send);
    },
    /** Answers true when everything is saved, false when something was refused. */
    emptied: () => empty,
    close: () => removeEventListener("beforeunload", hold),
  };
}
