/** @returns milliseconds between two heartbeats, and between two looks at them */
export function heartbeatInterval(hangTimeout: number): number {
  return hangTimeout === 0 ? 1000 : Math.min(1000, Math.max(20, Math.floor(hangTimeout / 4)));
}
