import type { Tone } from '../model/verdict.js';
import { Icon, type IconName } from './icon.js';

interface BadgeProps {
  tone: Tone | 'muted';
  text: string;
  icon?: IconName;
  title?: string;
}

/** A word with an icon: the colour only repeats what both say. */
export function Badge({ tone, text, icon, title }: BadgeProps) {
  return (
    <span class={`badge tone-${tone}`} title={title}>
      <Icon name={icon ?? (tone === 'muted' ? 'off' : tone)} size={14} />
      {text}
    </span>
  );
}

const STATES: Record<string, { tone: BadgeProps['tone']; icon: IconName }> = {
  ready: { tone: 'good', icon: 'good' },
  starting: { tone: 'info', icon: 'wait' },
  candidate: { tone: 'info', icon: 'wait' },
  draining: { tone: 'info', icon: 'leave' },
  closing: { tone: 'warning', icon: 'leave' },
  backoff: { tone: 'bad', icon: 'bad' },
};

/** The state of a process or a machine. */
export function StateBadge({ state }: { state: string }) {
  const { tone, icon } = STATES[state] ?? { tone: 'muted', icon: 'off' };
  return <Badge tone={tone} icon={icon} text={state} />;
}
