import { effect, useSignalEffect } from '@preact/signals';
import { type ComponentType, render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ViewName } from '../cluster/admin/page_data.js';
import { Header } from './frame/header.js';
import { Menu, type MenuEntry } from './frame/menu.js';
import { Notice } from './frame/notice.js';
import { ShortcutList } from './frame/shortcut_list.js';
import { watchViews } from './state/connection.js';
import { VIEWS } from './state/data.js';
import { listenToKeys } from './state/keyboard.js';
import { place } from './state/location.js';
import { Boot } from './views/boot.js';
import { Config } from './views/config.js';
import { Deaths } from './views/deaths.js';
import { Fleet } from './views/fleet.js';
import { Logs } from './views/logs.js';
import { Messages } from './views/messages.js';
import { Now } from './views/now/now.js';
import { Plugins } from './views/plugins.js';
import { Routes } from './views/routes.js';
import { ScheduleAndJobs } from './views/schedule.js';

const PAGES: Record<ViewName, { title: string; view: ComponentType }> = {
  now: { title: 'Now', view: Now },
  routes: { title: 'Routes', view: Routes },
  deaths: { title: 'Deaths', view: Deaths },
  boot: { title: 'Boot', view: Boot },
  config: { title: 'Config', view: Config },
  plugins: { title: 'Plugins', view: Plugins },
  messages: { title: 'Messages', view: Messages },
  schedule: { title: 'Schedule and jobs', view: ScheduleAndJobs },
  logs: { title: 'Logs', view: Logs },
  fleet: { title: 'Fleet', view: Fleet },
};
const MENU: MenuEntry[] = VIEWS.map((name) => ({ name, title: PAGES[name].title }));

let watched: ViewName | undefined;
effect(() => {
  const { view } = place.value;
  if (view !== watched) watchViews(view);
  watched = view;
});

function App() {
  const [showsShortcuts, setShowsShortcuts] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  const { view } = place.value;
  const { title, view: View } = PAGES[view];
  useEffect(() => listenToKeys(() => setShowsShortcuts(true)), []);
  useSignalEffect(() => {
    document.title = `${PAGES[place.value.view].title} · Clutch`;
  });
  // Who uses keys or a screen reader begins at the top of the new view.
  const isFirst = useRef(true);
  useEffect(() => {
    if (!isFirst.current) heading.current?.focus({ preventScroll: true });
    isFirst.current = false;
    scrollTo(0, 0);
  }, [view]);
  return (
    <>
      <a class="skip" href="#main">
        Skip the menu
      </a>
      <Header onShortcuts={() => setShowsShortcuts(true)} />
      <Menu entries={MENU} />
      <main id="main" tabIndex={-1}>
        <h1 ref={heading} class="only-read" tabIndex={-1}>
          {title}
        </h1>
        <View key={view} />
      </main>
      <Notice />
      {showsShortcuts && <ShortcutList onClose={() => setShowsShortcuts(false)} />}
    </>
  );
}

const root = document.getElementById('app') as HTMLElement;
root.textContent = '';
render(<App />, root);
