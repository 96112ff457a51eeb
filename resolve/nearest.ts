/**
 * Finds the name that was probably meant.
 *
 * @param edits how many letters may differ at most, default a third of them; letters in another case do not count
 * @returns undefined if none is near
 */
export function nearest(
  name: string,
  candidates: Iterable<string>,
  edits: number = Math.floor(name.length / 3),
): string | undefined {
  let best: string | undefined;
  let least = edits + 1;
  for (const candidate of candidates) {
    // Each letter too many or too few is an edit: most candidates need no table.
    if (Math.abs(candidate.length - name.length) >= least) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (candidate === name || distance >= least) continue;
    least = distance;
    best = candidate;
  }
  return best;
}

/** Letters that are added, left out or changed (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const changed = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
