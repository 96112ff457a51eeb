import type { Layer } from './koa_router.js';

/** What the index reads of a layer. */
export type IndexedLayer = Pick<Layer, 'path' | 'regexp' | 'opts'>;

/** Segments that are plain text, or one parameter; other patterns are not indexed. */
const SEGMENT = /^(?:[\w.~-]+|:[A-Za-z_]\w*)$/;

interface Node<L> {
  /** Next segments by their text, in lower case. */
  texts: Map<string, Node<L>> | undefined;
  parameter: Node<L> | undefined;
  /** Layers whose path ends here. */
  here: Entry<L>[];
  /** Layers that match this path and every path below it. */
  below: Entry<L>[];
}

interface Entry<L> {
  order: number;
  layer: L;
  /** Whether the path is plain text, which its RegExp matches as it is. */
  isText: boolean;
}

type Entries<L> = readonly Entry<L>[];

/**
 * Finds the layers that may match a path, in the order in which they were registered.
 *
 * Plain paths and parameters are a tree of segments; every other layer (RegExp, wildcards, groups) is a candidate for each
 * path. The index may name a layer that does not match, never leave out one that does: the layer's own RegExp decides.
 */
export class RouteIndex<L extends IndexedLayer> {
  readonly #root: Node<L> = emptyNode();
  readonly #always: Entry<L>[] = [];

  constructor(layers: readonly L[]) {
    for (const [order, layer] of layers.entries()) this.#add({ order, layer, isText: false });
  }

  #add(entry: Entry<L>): void {
    const { path, opts } = entry.layer;
    const segments = typeof path === 'string' && !opts.pathAsRegExp ? segmentsOf(path) : undefined;
    if (!segments) {
      this.#always.push(entry);
      return;
    }
    entry.isText = segments.every((segment) => !segment.startsWith(':'));
    let node = this.#root;
    for (const segment of segments) {
      if (segment.startsWith(':')) {
        node.parameter ??= emptyNode();
        node = node.parameter;
      } else {
        node.texts ??= new Map();
        const text = segment.toLowerCase();
        let next = node.texts.get(text);
        if (!next) {
          next = emptyNode();
          node.texts.set(text, next);
        }
        node = next;
      }
    }
    (opts.end === false ? node.below : node.here).push(entry);
  }

  /** @returns layers in order of registration; read it before the next call, the array may be shared */
  candidates(path: string): readonly Entry<L>[] {
    const always = this.#always;
    // The tree holds only paths that begin with a slash.
    const found = path.charCodeAt(0) === 47 ? this.#collect(this.#root, path, 1, NONE) : NONE;
    if (found.length === 0) return always;
    if (found.length === 1 && always.length === 0) return found;
    return [...found, ...always].sort(byOrder);
  }

  /** @returns `before`, and what is found from `node` on */
  #collect(node: Node<L>, path: string, from: number, before: Entries<L>): Entries<L> {
    const found = joined(before, node.below);
    if (from >= path.length) return joined(found, node.here);
    const slash = path.indexOf('/', from);
    const end = slash === -1 ? path.length : slash;
    if (end === from) {
      // A path with a slash at its end may be followed by one more.
      return end === path.length - 1 ? joined(found, node.here) : found;
    }
    let all = found;
    if (node.texts) {
      const text = path.slice(from, end);
      // Most routes are in lower case, and so are most requests.
      const next = node.texts.get(text) ?? node.texts.get(text.toLowerCase());
      if (next) all = this.#collect(next, path, end + 1, all);
    }
    return node.parameter ? this.#collect(node.parameter, path, end + 1, all) : all;
  }
}

const NONE: readonly never[] = [];

/** Makes a list only if both have something: for most paths one node has all that matches. */
function joined<L>(some: Entries<L>, more: Entries<L>): Entries<L> {
  if (more.length === 0) return some;
  return some.length === 0 ? more : [...some, ...more];
}

function emptyNode<L>(): Node<L> {
  return { texts: undefined, parameter: undefined, here: [], below: [] };
}

function byOrder(a: { order: number }, b: { order: number }): number {
  return a.order - b.order;
}

/** @returns the segments of a path; undefined if one of them is neither plain text nor a single parameter */
function segmentsOf(path: string): string[] | undefined {
  if (path === '/' || path === '') return path === '' ? undefined : [];
  if (!path.startsWith('/')) return undefined;
  const segments = path.slice(1).split('/');
  if (segments.at(-1) === '') segments.pop();
  return segments.every((segment) => SEGMENT.test(segment)) ? segments : undefined;
}
