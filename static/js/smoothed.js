// @ts-check
/**
 * An exponential moving average without the bias of its start; a gap stays a gap. Its memory is one
 * of so many parts of what is drawn: a thirtieth, as `smoothed` of the server.
 * @param {[number, number | null][]} points @param {number} [parts]
 * @returns {[number, number | null][]}
 */
export function smoothed(points, parts = 30) {
  const keep = 1 - 1 / Math.max(1, points.length / parts);
  let [sum, weight] = [0, 0];
  return points.map(([x, y]) => {
    if (y === null) return [x, y];
    [sum, weight] = [keep * sum + (1 - keep) * y, keep * weight + (1 - keep)];
    return [x, sum / weight];
  });
}
