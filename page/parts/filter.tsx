import { place, setQuery } from '../state/location.js';
import { Icon } from './icon.js';

/** The text filter of a view: it is in the address, so that a link shows the same. `/` goes to it. */
export function Filter({ label, shown }: { label: string; shown: string }) {
  const value = place.value.query['filter'] ?? '';
  return (
    <div class="filter">
      <Icon name="search" />
      <input
        type="search"
        data-filter
        aria-label={label}
        placeholder={label}
        spellcheck={false}
        value={value}
        onInput={({ currentTarget }) => setQuery({ filter: currentTarget.value })}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          if (value) setQuery({ filter: '' });
          else event.currentTarget.blur();
        }}
      />
      {value === '' && (
        <span class="kbd" aria-hidden="true">
          /
        </span>
      )}
      <span class="filter-count" role="status">
        {shown}
      </span>
    </div>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: [value: string, text: string][];
  onChange(value: string): void;
}

export function Choice({ label, value, options, onChange }: ChoiceProps) {
  return (
    <label class="choice">
      <span>{label}</span>
      <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        {options.map(([each, text]) => (
          <option key={each} value={each} selected={each === value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

/** @returns whether one of the texts holds each word of the filter */
export function matches(filter: string | undefined, ...texts: (string | undefined)[]): boolean {
  if (!filter) return true;
  const all = texts.join('\n').toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}
