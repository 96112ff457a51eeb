/** @returns keys that are none of the known ones, each with the one it is probably meant for */
export function nearMisses(given: object, known: readonly string[]): [key: string, near: string][] {
  return Object.keys(given).flatMap((key): [string, string][] => {
    const near = known.includes(key) ? undefined : known.find((candidate) => isNear(key, candidate));
    return near === undefined ? [] : [[key, near]];
  });
}

/** Same letters in another case, or one letter added, left out or changed, or two swapped. */
function isNear(key: string, known: string): boolean {
  const [a, b] = [key.toLowerCase(), known.toLowerCase()];
  if (a === b) return true;
  if (known.length < 5 || Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start += 1;
  const [restA, restB] = [a.slice(start), b.slice(start)];
  const swapped = restA[1] === restB[0] && restA[0] === restB[1] && restA.slice(2) === restB.slice(2);
  return swapped || restA.slice(1) === restB.slice(1) || restA.slice(1) === restB || restA === restB.slice(1);
}
