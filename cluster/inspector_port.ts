/**
 * The port on which the inspector of a process would listen. It is not known to be free; a process whose port is
 * used just has no inspector.
 */
export function inspectorPort(pid: number): number {
  return 20_000 + (pid % 40_000);
}
