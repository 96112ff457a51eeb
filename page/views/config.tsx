import type { ConfigLeaf } from '../../cluster/admin/page_data.js';
import { Choice, Filter, matches } from '../parts/filter.js';
import { Empty, Loading, Panel } from '../parts/panel.js';
import { Path } from '../parts/path.js';
import { type Column, Table } from '../parts/table.js';
import { data } from '../state/data.js';
import { place, setQuery } from '../state/location.js';

const OF_APP = 'app';

export function Config() {
  const view = data.config.value;
  if (!view) return <Loading />;
  const { filter, file = '' } = place.value.query;
  const { leaves } = view;
  const files = [...new Set(leaves.flatMap(({ sources }) => sources.map((source) => source.file)))].sort();
  const shown = leaves.filter(
    ({ key, value, sources }) =>
      matches(filter, key, value) &&
      (file === '' || sources.some((source) => (file === OF_APP ? isOfApp(source.file) : source.file === file))),
  );
  return (
    <Panel
      title="Config"
      about="Every value, the file that has set it, and what it overrode. Secrets are masked."
      tools={
        <>
          <Choice
            label="File"
            value={file}
            options={[['', 'any'], [OF_APP, 'of the app'], ...files.map((each): [string, string] => [each, each])]}
            onChange={(value) => setQuery({ file: value })}
          />
          <Filter label="Filter keys and values" shown={`${shown.length} of ${leaves.length}`} />
        </>
      }
    >
      {leaves.length === 0 ? (
        <Empty icon="config" title="No config is known yet">
          It is here as soon as a process has loaded the app.
        </Empty>
      ) : (
        <Table
          label="Config"
          columns={COLUMNS}
          rows={shown}
          keyOf={({ key }) => key}
          sort={{ label: 'Key', descending: false }}
          classOf={() => 'is-top'}
        />
      )}
    </Panel>
  );
}

const COLUMNS: Column<ConfigLeaf>[] = [
  { label: 'Key', wraps: true, value: ({ key }) => key, render: ({ key }) => <strong class="key">{key}</strong> },
  { label: 'Value', wraps: true, render: ({ value }) => <code class="value">{value}</code> },
  {
    label: 'Set by',
    wraps: true,
    value: ({ sources }) => sources.at(-1)?.file ?? '',
    render: ({ sources }) => <Sources sources={sources} />,
  },
];

function isOfApp(file: string): boolean {
  return !/^(?:koa-clutch|node_modules)\//.test(file);
}

/** The file that has the last word, and below it those that it overrode. */
function Sources({ sources }: { sources: ConfigLeaf['sources'] }) {
  const [last, ...before] = sources.toReversed();
  if (!last) return <span class="muted">no file</span>;
  return (
    <span class="sources">
      <Path path={last.file} />
      {before.map(({ file, value }, index) => (
        <span key={`${index} ${file}`} class="overridden">
          overrides {value !== undefined && <del>{value}</del>} of <Path path={file} />
        </span>
      ))}
    </span>
  );
}
