import type { PluginView } from '../../cluster/admin/page_data.js';

export interface GraphNode {
  name: string;
  /** 0 depends on nothing. */
  layer: number;
  /** Place in its layer. */
  place: number;
}

interface GraphEdge {
  from: string;
  to: string;
  optional: boolean;
}

export interface PluginGraph {
  nodes: GraphNode[];
  edges: GraphEdge[];
  /** Plugins that nothing depends on and that depend on nothing. */
  alone: string[];
}

/** @returns the plugins that are on, each in a layer after those that it depends on */
export function graphOf(plugins: PluginView[]): PluginGraph {
  const on = new Map(plugins.filter(({ enabled }) => enabled).map((plugin) => [plugin.name, plugin]));
  const edges = [...on.values()].flatMap(({ name, dependencies, optionalDependencies }): GraphEdge[] => [
    ...dependencies.filter((from) => on.has(from)).map((from) => ({ from, to: name, optional: false })),
    ...optionalDependencies.filter((from) => on.has(from)).map((from) => ({ from, to: name, optional: true })),
  ]);
  const layers = new Map<string, number>();
  const layerOf = (name: string, path: string[] = []): number => {
    const known = layers.get(name);
    if (known !== undefined) return known;
    if (path.includes(name)) return 0;
    const below = edges.filter(({ to }) => to === name).map(({ from }) => layerOf(from, [...path, name]) + 1);
    const layer = Math.max(0, ...below);
    layers.set(name, layer);
    return layer;
  };
  const places = new Map<number, number>();
  const nodes: GraphNode[] = [];
  const alone: string[] = [];
  for (const name of on.keys()) {
    if (!edges.some(({ from, to }) => from === name || to === name)) {
      alone.push(name);
      continue;
    }
    const layer = layerOf(name);
    const place = places.get(layer) ?? 0;
    places.set(layer, place + 1);
    nodes.push({ name, layer, place });
  }
  return { nodes, edges, alone };
}
