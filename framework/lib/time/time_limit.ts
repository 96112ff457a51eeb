/**
 * Waits for `work`, but not for longer than `limit` milliseconds.
 *
 * @throws what `work` rejects with, and an Error that names `what` if it takes longer
 */
export async function withinTime<T>(what: string, limit: number, work: Promise<T> | T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} has not ended after ${limit} ms`)), limit);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
