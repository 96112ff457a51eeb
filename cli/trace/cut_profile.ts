/** What V8 records of the CPU; times in microseconds. */
export interface CpuProfile {
  nodes: { id: number; callFrame: CallFrame; children?: number[] }[];
  startTime: number;
  endTime: number;
  samples: number[];
  timeDeltas: number[];
}

interface CallFrame {
  functionName: string;
  url: string;
  /** From 0 on. */
  lineNumber: number;
  columnNumber: number;
}

/** What ran for a part of the time, the innermost function first. */
interface HotStack {
  milliseconds: number;
  frames: string[];
  /** Whether a function of the app is on it. */
  isOfApp: boolean;
}

export interface CutProfile {
  /** Milliseconds in which JavaScript ran, or the garbage collector. */
  busy: number;
  /** Those of the app first, then by time. */
  stacks: HotStack[];
}

interface CutOptions {
  /** Milliseconds after the profile began. */
  from: number;
  to: number;
  /** How many stacks. */
  most: number;
  /** @returns what is shown of a frame, and whose it is; undefined for one that is left out */
  describe(frame: CallFrame): { text: string; isOfApp: boolean } | undefined;
}

/** @returns what ran in a part of the time: stacks are counted as equal when what is shown of them is */
export function cutProfile(profile: CpuProfile, { from, to, most, describe }: CutOptions): CutProfile {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(
    profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)),
  );
  const byNode = timeByNode(profile, from, to);
  const stacks = new Map<string, HotStack>();
  let busy = 0;
  for (const [id, milliseconds] of byNode) {
    const leaf = nodes.get(id)?.callFrame;
    if (!leaf || leaf.functionName === '(idle)') continue;
    busy += milliseconds;
    const shown = framesAbove(id, nodes, parents).flatMap((frame) => describe(frame) ?? []);
    const frames = shown.length > 0 ? shown.map(({ text }) => text) : [leaf.functionName || '(anonymous)'];
    const key = frames.join('\n');
    const known = stacks.get(key);
    if (known) known.milliseconds += milliseconds;
    else stacks.set(key, { milliseconds, frames, isOfApp: shown.some(({ isOfApp }) => isOfApp) });
  }
  const sorted = [...stacks.values()].sort(
    (a, b) => Number(b.isOfApp) - Number(a.isOfApp) || b.milliseconds - a.milliseconds,
  );
  return { busy, stacks: sorted.slice(0, most) };
}

/** @returns milliseconds that each node was sampled in, within the part: a sample holds until the next one */
function timeByNode({ samples, timeDeltas }: CpuProfile, from: number, to: number): Map<number, number> {
  const byNode = new Map<number, number>();
  let at = 0;
  for (let index = 0; index < samples.length; index += 1) {
    at += (timeDeltas[index] as number) / 1000;
    const end = at + (timeDeltas[index + 1] ?? 0) / 1000;
    const overlap = Math.min(end, to) - Math.max(at, from);
    const id = samples[index] as number;
    if (overlap > 0) byNode.set(id, (byNode.get(id) ?? 0) + overlap);
  }
  return byNode;
}

function framesAbove(
  id: number,
  nodes: ReadonlyMap<number, CpuProfile['nodes'][number]>,
  parents: ReadonlyMap<number, number>,
): CallFrame[] {
  const frames: CallFrame[] = [];
  for (let next: number | undefined = id; next !== undefined; next = parents.get(next)) {
    const node = nodes.get(next);
    if (node && node.callFrame.functionName !== '(root)') frames.push(node.callFrame);
  }
  return frames;
}
