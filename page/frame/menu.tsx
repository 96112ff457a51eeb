import { useEffect, useRef } from 'preact/hooks';
import type { ViewName } from '../../cluster/admin/page_data.js';
import { verdictOf } from '../model/verdict.js';
import { Icon } from '../parts/icon.js';
import { data } from '../state/data.js';
import { digitOf } from '../state/keyboard.js';
import { linkTo, place } from '../state/location.js';

export interface MenuEntry {
  name: ViewName;
  title: string;
}

export function Menu({ entries }: { entries: MenuEntry[] }) {
  const current = place.value.view;
  const now = data.now.value;
  const tone = now && verdictOf(now).tone;
  const list = useRef<HTMLUListElement>(null);
  // On a narrow screen the menu is a strip that scrolls.
  useEffect(() => {
    list.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [current]);
  return (
    <nav class="menu" aria-label="Views">
      <ul ref={list}>
        {entries.map(({ name, title }) => (
          <li key={name}>
            <a href={linkTo(name)} aria-current={name === current ? 'page' : undefined}>
              <Icon name={name} />
              <span>{title}</span>
              {name === 'now' && (tone === 'bad' || tone === 'warning') && (
                <span class={`mark tone-${tone}`}>
                  <Icon name={tone} size={13} />
                  <span class="only-read">{tone === 'bad' ? 'something is wrong' : 'look at this'}</span>
                </span>
              )}
              <span class="kbd" aria-hidden="true">
                {digitOf(name)}
              </span>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
