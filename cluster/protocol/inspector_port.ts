/**
 * The port on which the inspector of a process would listen, below those that systems give to clients (Linux: from 32768
 * on). It is not known to be free; a process whose port is used just has no inspector.
 */
export function inspectorPort(pid: number): number {
  return 10_000 + (pid % 20_000);
}
