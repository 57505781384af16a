// @ts-check
/**
 * An exponential moving average without the bias of its start; a gap stays a gap. Its memory is a
 * thirtieth of what is drawn, as `smoothed` of the server. @param {[number, number | null][]} points
 * @returns {[number, number | null][]}
 */
export function smoothed(points) {
  const keep = 1 - 1 / Math.max(1, points.length / 30);
  let [sum, weight] = [0, 0];
  return points.map(([x, y]) => {
    if (y === null) return [x, y];
    [sum, weight] = [keep * sum + (1 - keep) * y, keep * weight + (1 - keep)];
    return [x, sum / weight];
  });
}
