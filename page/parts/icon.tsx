/** Icons of 16 units, drawn with lines in the colour of the text. */
const PATHS = {
  good: 'M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M5 8.2l2.1 2.1L11.2 6',
  info: 'M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M8 7.2v4M8 4.8v.1',
  warning: 'M8 1.8 14.8 14H1.2zM8 6.4v3.4M8 11.9v.1',
  bad: 'M5.2 1.5h5.6l3.7 3.7v5.6l-3.7 3.7H5.2l-3.7-3.7V5.2zM5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4',
  wait: 'M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M8 4.4V8l2.4 1.6',
  leave: 'M9.5 2H3v12h6.5M6.5 8H14M11 5l3 3-3 3',
  off: 'M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M4.8 8h6.4',
  reload: 'M13.5 8A5.5 5.5 0 1 1 11.6 3.8M13.5 1.5v3.2h-3.2',
  open: 'M6 3.5 10.5 8 6 12.5',
  up: 'M4 9.8 8 5.8l4 4',
  down: 'M4 6.2 8 10.2l4-4',
  search: 'M7 2.2a4.8 4.8 0 1 0 0 9.6 4.8 4.8 0 0 0 0-9.6M10.6 10.6 14 14',
  pause: 'M5.5 3v10M10.5 3v10',
  play: 'M4.5 2.8v10.4L13 8z',
  auto: 'M8 1.8a6.2 6.2 0 1 0 0 12.4zM8 1.8a6.2 6.2 0 0 1 0 12.4',
  light: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M8 1v1.4M8 13.6V15M1 8h1.4M13.6 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1',
  dark: 'M13.8 9.6A6.2 6.2 0 0 1 6.4 2.2a6.2 6.2 0 1 0 7.4 7.4z',
  close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  keyboard: 'M1.5 4h13v8.5h-13zM4 6.8h.1M6.6 6.8h.1M9.3 6.8h.1M11.9 6.8h.1M5 9.8h6',
  now: 'M1.5 8.5h3l2-5 3 9 2-4h3',
  routes: 'M4 14V8.5C4 5 12 7 12 3.5V2M9.5 4 12 1.8 14.5 4M4 14.1v.1',
  deaths: 'M4.5 11.5C2.8 10.4 2 9 2 7.2 2 4 4.5 1.8 8 1.8S14 4 14 7.2c0 1.8-.8 3.2-2.5 4.3v2.7h-7zM6 7.8v.1M10 7.8v.1',
  boot: 'M8 1.5v6M4.6 3.6a5.5 5.5 0 1 0 6.8 0',
  config: 'M2 4.5h6M12 4.5h2M2 11.5h2M8 11.5h6M10 2.8v3.4M6 9.8v3.4',
  plugins: 'M2 2.5h4.5V7H2zM9.5 9H14v4.5H9.5zM4.2 7v4.3h5.3',
  messages: 'M1.5 3h13v8.5H7L4 14v-2.5H1.5z',
  schedule: 'M2 3.5h12V14H2zM2 6.8h12M5 1.8v3M11 1.8v3',
  logs: 'M2.5 3.5h11M2.5 6.5h8M2.5 9.5h11M2.5 12.5h5',
  fleet: 'M2 2.5h12v4.3H2zM2 9.2h12v4.3H2zM4.5 4.6h.1M4.5 11.3h.1',
  worker: 'M4 4h8v8H4zM6.5 1.5V4M9.5 1.5V4M6.5 12v2.5M9.5 12v2.5M1.5 6.5H4M1.5 9.5H4M12 6.5h2.5M12 9.5h2.5',
};

export type IconName = keyof typeof PATHS;

/** Only decoration: the word stands beside it, or in the label of its button. */
export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg class={`icon icon-${name}`} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
