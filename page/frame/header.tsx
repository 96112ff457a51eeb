import { formatDuration } from '../model/format.js';
import { Icon } from '../parts/icon.js';
import { connection } from '../state/connection.js';
import { clock, data } from '../state/data.js';
import { linkTo } from '../state/location.js';
import { nextTheme, theme } from '../state/theme.js';

export function Header({ onShortcuts }: { onShortcuts(): void }) {
  const { app, cluster } = data.now.value ?? {};
  return (
    <header class="top">
      <a class="brand" href={linkTo('now')} aria-label={`${app?.name ?? 'Clutch'}: now`}>
        <svg width="22" height="22" viewBox="0 0 32 32" aria-hidden="true">
          <ellipse cx="10.5" cy="14" rx="5" ry="6.8" class="egg" />
          <ellipse cx="21.5" cy="14" rx="5" ry="6.8" class="egg" />
          <ellipse cx="16" cy="12" rx="5.4" ry="7.4" class="egg egg-front" />
          <path d="M3 17c2 8 6 11 13 11s11-3 13-11c-4 3-8 4-13 4S7 20 3 17z" class="nest" />
        </svg>
        <span>{app?.name ?? 'Clutch'}</span>
      </a>
      {app && (
        <p class="app-facts">
          {app.version && <span>{app.version}</span>}
          <span class="env">{app.env}</span>
          {cluster?.address.startsWith('http') && (
            <a href={cluster.address}>{cluster.address.replace(/^\w+:\/\//, '')}</a>
          )}
          <span class="only-wide">Node {app.node.replace(/^v/, '')}</span>
          <span class="only-wide">Clutch {app.clutch}</span>
          <span class="only-wide">Master {app.pid}</span>
        </p>
      )}
      <div class="top-tools">
        <Connection />
        <button
          type="button"
          class="plain"
          aria-label={`Colours: ${theme.value}`}
          title={`Colours: ${theme.value} (t)`}
          onClick={nextTheme}
        >
          <Icon name={theme.value} />
        </button>
        <button
          type="button"
          class="plain"
          aria-label="Keyboard shortcuts"
          title="Keyboard shortcuts (?)"
          onClick={onShortcuts}
        >
          <Icon name="keyboard" />
        </button>
      </div>
    </header>
  );
}

const CONNECTION = {
  connecting: { icon: 'wait', text: 'connecting' },
  live: { icon: 'good', text: 'live' },
  lost: { icon: 'bad', text: 'connection lost' },
  refused: { icon: 'bad', text: 'refused' },
} as const;

function Connection() {
  const { state, since, reason } = connection.value;
  const { icon, text } = CONNECTION[state];
  return (
    <div class={`connection is-${state}`}>
      <span role="status">
        <Icon name={icon} size={14} />
        {text}
      </span>
      {state === 'lost' && (
        <span class="since">for {formatDuration(clock.value - since)}, trying again. The data is as of then.</span>
      )}
      {state === 'refused' && (
        <span class="since">
          {reason ?? 'the token is missing or wrong'}. <a href="/">Log in</a>
        </span>
      )}
    </div>
  );
}
