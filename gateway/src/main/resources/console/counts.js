// What the snapshot's counts say: differences, and quantiles from cumulative buckets.

// What was answered between two moments. A restarted server counts from zero.
export function between(before, after) {
  if (!after) return null;
  const base = before && before.answered <= after.answered ? before : { answered: 0, within: after.within.map(() => 0) };
  return { answered: after.answered - base.answered, within: after.within.map((count, i) => count - base.within[i]) };
}

// Microseconds within which this share was answered, straight between the bounds of its bucket.
export function quantile(share, { answered, within }, bounds) {
  const rank = share * answered;
  const i = within.findIndex((count) => count >= rank);
  if (i < 0) return bounds.at(-1);
  const [below, from] = i === 0 ? [0, 0] : [within[i - 1], bounds[i - 1]];
  return from + ((bounds[i] - from) * (rank - below)) / Math.max(1, within[i] - below);
}
