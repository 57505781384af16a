// @ts-check
/** What goes along with a question: its key, what it follows, and how the answer is to be written. */

/** A random UUID: `crypto.randomUUID` is missing where there is no TLS. */
export function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** The last answer that this page shows, "" where there is none: a question is asked about that one. */
export function lastAnswer() {
  const last = [...document.querySelectorAll("#transcript > .exchange")].at(-1)?.id ?? "";
  return last.replace("exchange-", "");
}

/** The settings as they stand in their form. @returns {Record<string, number>} */
export function params() {
  const found = /** @type {Record<string, number>} */ ({});
  const fields = /** @type {NodeListOf<HTMLInputElement>} */ (
    document.querySelectorAll('#chat-settings input[type="number"]')
  );
  for (const field of fields) {
    if (field.value !== "") found[field.name] = Number(field.value);
  }
  return found;
}
