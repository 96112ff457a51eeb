/**
 * Calls `invoke` with a value of `size` bytes, `parallel` at a time.
 *
 * @returns calls in a second, and the latency of the middle one and of one in a hundred, in microseconds
 */
export async function measureInvokes(invoke, { size, parallel, count }) {
  const value = { text: 'x'.repeat(size) };
  const rounds = async (total, latencies) => {
    let left = total;
    const one = async () => {
      while (left > 0) {
        left -= 1;
        const begin = performance.now();
        await invoke(value);
        latencies?.push(performance.now() - begin);
      }
    };
    await Promise.all(Array.from({ length: parallel }, one));
  };
  const latencies = [];
  const begin = performance.now();
  await rounds(count, latencies);
  const seconds = (performance.now() - begin) / 1000;
  latencies.sort((a, b) => a - b);
  const at = (share) => Math.round(latencies[Math.floor(latencies.length * share)] * 1000);
  return { perSecond: count / seconds, p50: at(0.5), p99: at(0.99), count };
}
