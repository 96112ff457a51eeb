import { useState } from 'preact/hooks';
import type { PluginView } from '../../cluster/admin/page_data.js';
import { type GraphNode, graphOf, type PluginGraph } from '../model/plugin_graph.js';
import { Badge } from '../parts/badge.js';
import { Choice, Filter, matches } from '../parts/filter.js';
import { Empty, Loading, Panel } from '../parts/panel.js';
import { Breakable, Path } from '../parts/path.js';
import { type Column, Table } from '../parts/table.js';
import { data } from '../state/data.js';
import { place, setQuery } from '../state/location.js';

export function Plugins() {
  const plugins = data.plugins.value;
  if (!plugins) return <Loading />;
  const { filter, show = 'all' } = place.value.query;
  const shown = plugins.filter(
    ({ name, reason, from, enabled }) =>
      (show === 'all' || enabled === (show === 'on')) && matches(filter, name, reason, from),
  );
  const on = plugins.filter(({ enabled }) => enabled).length;
  return (
    <>
      <Graph plugins={plugins} />
      <Panel
        title="Plugins"
        about={`${on} on, ${plugins.length - on} off, in the order in which they are loaded.`}
        tools={
          <>
            <Choice
              label="Show"
              value={show}
              options={[
                ['all', 'all'],
                ['on', 'on'],
                ['off', 'off'],
              ]}
              onChange={(value) => setQuery({ show: value })}
            />
            <Filter label="Filter plugins" shown={`${shown.length} of ${plugins.length}`} />
          </>
        }
      >
        {plugins.length === 0 ? (
          <Empty icon="plugins" title="No plugin is known yet">
            They are here as soon as a process has loaded the app.
          </Empty>
        ) : (
          <Table
            label="Plugins"
            columns={COLUMNS}
            rows={shown}
            keyOf={({ name }) => name}
            classOf={({ enabled }) => (enabled ? '' : 'is-quiet')}
          />
        )}
      </Panel>
    </>
  );
}

const COLUMNS: Column<PluginView>[] = [
  {
    label: 'Plugin',
    value: ({ name }) => name,
    render: ({ name, version }) => (
      <span class="process">
        <strong>{name}</strong>
        <span class="muted">{version}</span>
      </span>
    ),
  },
  {
    label: 'State',
    value: ({ enabled }) => Number(enabled),
    render: ({ enabled }) => (enabled ? <Badge tone="good" text="on" /> : <Badge tone="muted" text="off" />),
  },
  { label: 'Why', wide: true, render: ({ reason }) => <Breakable text={reason} /> },
  { label: 'Where', wraps: true, render: ({ path = '' }) => <Path path={path} /> },
  {
    label: 'Needs',
    wraps: true,
    render: ({ dependencies, optionalDependencies }) =>
      dependencies.length + optionalDependencies.length === 0 ? (
        <span class="muted">nothing</span>
      ) : (
        <span>
          {dependencies.join(', ')}
          {dependencies.length > 0 && optionalDependencies.length > 0 && ', '}
          {optionalDependencies.length > 0 && (
            <span class="muted">{optionalDependencies.map((name) => `${name} (if on)`).join(', ')}</span>
          )}
        </span>
      ),
  },
];

const WIDTH = 150;
const HEIGHT = 28;
const GAP_X = 72;
const GAP_Y = 10;

/** Who needs whom, from left to right. */
function Graph({ plugins }: { plugins: PluginView[] }) {
  const [chosen, choose] = useState<string>();
  const graph = graphOf(plugins);
  if (graph.nodes.length === 0) return null;
  const width = (Math.max(...graph.nodes.map(({ layer }) => layer)) + 1) * (WIDTH + GAP_X) - GAP_X;
  const height = (Math.max(...graph.nodes.map(({ place }) => place)) + 1) * (HEIGHT + GAP_Y) - GAP_Y;
  return (
    <Panel
      title="Who needs whom"
      about="A plugin is loaded after those at its left that it is connected to. A dashed line: only if that one is on."
    >
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: who has no pointer scrolls it with keys */}
      <section class="graph-box" tabIndex={0} aria-label="Graph of plugins">
        <svg
          class="graph"
          width={width + 2}
          height={height + 2}
          viewBox={`-1 -1 ${width + 2} ${height + 2}`}
          role="img"
          aria-label={graph.edges.map(({ from, to }) => `${to} needs ${from}`).join('; ')}
        >
          <Edges graph={graph} chosen={chosen} />
          {graph.nodes.map((node) => (
            <g
              key={node.name}
              class={`node ${isNear(graph, node.name, chosen) ? '' : 'is-far'}`}
              onPointerEnter={() => choose(node.name)}
              onPointerLeave={() => choose(undefined)}
            >
              <rect x={leftOf(node)} y={topOf(node)} width={WIDTH} height={HEIGHT} rx="5" />
              <text x={leftOf(node) + 10} y={topOf(node) + HEIGHT / 2 + 4.5}>
                {node.name}
              </text>
            </g>
          ))}
        </svg>
      </section>
      {graph.alone.length > 0 && <p class="line muted">Connected to none: {graph.alone.join(', ')}</p>}
    </Panel>
  );
}

function Edges({ graph, chosen }: { graph: PluginGraph; chosen: string | undefined }) {
  const nodes = new Map(graph.nodes.map((node) => [node.name, node]));
  return (
    <>
      {graph.edges.map(({ from, to, optional }) => {
        const [begin, end] = [nodes.get(from) as GraphNode, nodes.get(to) as GraphNode];
        const [x1, y1] = [leftOf(begin) + WIDTH, topOf(begin) + HEIGHT / 2];
        const [x2, y2] = [leftOf(end), topOf(end) + HEIGHT / 2];
        const bend = Math.min(GAP_X / 2, (x2 - x1) / 2);
        return (
          <path
            key={`${from} ${to}`}
            class={`edge ${optional ? 'edge-optional' : ''} ${chosen && chosen !== from && chosen !== to ? 'is-far' : ''}`}
            d={`M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`}
          />
        );
      })}
    </>
  );
}

function leftOf({ layer }: GraphNode): number {
  return layer * (WIDTH + GAP_X);
}

function topOf({ place: index }: GraphNode): number {
  return index * (HEIGHT + GAP_Y);
}

function isNear({ edges }: PluginGraph, name: string, chosen: string | undefined): boolean {
  if (!chosen || name === chosen) return true;
  return edges.some(({ from, to }) => (from === name && to === chosen) || (to === name && from === chosen));
}
