import type { RequestSpan, SlowRequest } from '../../cluster/admin/page_data.js';

/** A row of the timeline of a request. Times are in milliseconds. */
export interface TimelineRow {
  kind: string;
  name: string;
  start: number;
  took: number;
  /** It had not ended with the request. */
  isOpen: boolean;
  depth: number;
  error?: string | undefined;
  /** More time went here than in any other row, without the rows inside it. */
  isMost: boolean;
}

/** Share of a request that middleware may take for itself and still be folded into the next one. */
const NOTHING = 0.02;

interface Node extends RequestSpan {
  took: number;
  isOpen: boolean;
  children: Node[];
}

/** @returns the request itself, then what it went through; middleware that only calls the next one is one row with it */
export function timelineOf({ method, url, took, spans }: SlowRequest): TimelineRow[] {
  const root = treeOf({ kind: 'request', name: `${method} ${url}`, start: 0, took }, spans);
  const rows: TimelineRow[] = [];
  let most: TimelineRow | undefined;
  let mostTime = 0;
  const visit = (node: Node, depth: number, names: string[]): void => {
    const { kind, name, start, isOpen, children, error } = node;
    const own = node.took - covered(children);
    const [next] = children;
    const path = [...names, name];
    const passes = kind === 'middleware' && next?.kind === kind && children.length === 1 && !error;
    if (passes && own < took * NOTHING) {
      visit(next, depth, path);
      return;
    }
    const row: TimelineRow = {
      kind,
      name: path.join(' › '),
      start,
      took: node.took,
      isOpen,
      depth,
      error,
      isMost: false,
    };
    rows.push(row);
    if (own > mostTime) [most, mostTime] = [row, own];
    for (const child of children) visit(child, depth + 1, []);
  };
  visit(root, 0, []);
  if (most && rows.length > 1) most.isMost = true;
  return rows;
}

function treeOf(request: RequestSpan & { took: number }, spans: readonly RequestSpan[]): Node {
  const root: Node = { ...request, isOpen: false, children: [] };
  const nodes: Node[] = [];
  for (const span of spans) {
    const { took = Math.max(0, request.took - span.start), parent } = span;
    const node: Node = { ...span, took, isOpen: span.took === undefined, children: [] };
    nodes.push(node);
    // The list is in the order of their beginnings: what is around a span comes before it.
    const around = parent === undefined ? root : (nodes[parent] ?? root);
    (around === node ? root : around).children.push(node);
  }
  return root;
}

/** @returns how long at least one of them ran */
function covered(nodes: Node[]): number {
  let sum = 0;
  let end = 0;
  for (const { start, took } of nodes) {
    sum += Math.max(0, start + took - Math.max(start, end));
    end = Math.max(end, start + took);
  }
  return sum;
}
