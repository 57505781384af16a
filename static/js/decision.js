// @ts-check
/** What a row of the table shows of a decision before the server has it. */

/**
 * Show the decision on its row; null when the row shows it already, or is not here.
 * `stays` is called once it is saved, `goes` when it was refused.
 * @param {HTMLElement | null} row @param {string} decision
 */
export function showDecision(row, decision) {
  const look = document.getElementById(`decided-${decision}`);
  const state = row?.querySelector("[data-state]");
  if (!row || !state || !(look instanceof HTMLTemplateElement)) return null;
  const [before, shown] = [row.dataset.decided, [...state.childNodes]];
  if (before === decision) return null;
  row.dataset.decided = decision;
  row.classList.add("is-unsaved");
  state.replaceChildren(look.content.cloneNode(true));
  const stays = () => row.classList.remove("is-unsaved");
  const goes = () => {
    stays();
    state.replaceChildren(...shown);
    if (before) row.dataset.decided = before;
    else delete row.dataset.decided;
  };
  return { row: row.dataset.row ?? "", decision, stays, goes };
}
