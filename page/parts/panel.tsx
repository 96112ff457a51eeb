import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icon.js';

interface PanelProps {
  title: string;
  /** One line below the title. */
  about?: ComponentChildren;
  /** At the right of the title. */
  tools?: ComponentChildren;
  children: ComponentChildren;
}

/** A part of a view. */
export function Panel({ title, about, tools, children }: PanelProps) {
  return (
    <section class="panel" aria-label={title}>
      <header class="panel-head">
        <div>
          <h2>{title}</h2>
          {about && <p class="about">{about}</p>}
        </div>
        {tools && <div class="tools">{tools}</div>}
      </header>
      {children}
    </section>
  );
}

interface EmptyProps {
  icon: IconName;
  title: string;
  /** What would be here, and how to turn it on. */
  children?: ComponentChildren;
}

/** What a view says when it has nothing. */
export function Empty({ icon, title, children }: EmptyProps) {
  return (
    <div class="empty">
      <Icon name={icon} size={28} />
      <p class="empty-title">{title}</p>
      {children && <div class="empty-text">{children}</div>}
    </div>
  );
}

export function Loading() {
  return (
    <div class="loading" role="status">
      Waiting for the first data …
    </div>
  );
}
