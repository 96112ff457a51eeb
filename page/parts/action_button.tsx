import type { ComponentChildren } from 'preact';
import { data } from '../state/data.js';

interface ActionButtonProps {
  label: string;
  onClick(): void;
  /** Small, in a row of a table. */
  small?: boolean;
  children: ComponentChildren;
}

export const READ_ONLY = 'This page is read-only here: admin.readOnly is set';

/** A button that changes the cluster. In read-only mode it stays reachable and says why it does nothing. */
export function ActionButton({ label, onClick, small = false, children }: ActionButtonProps) {
  const readOnly = data.now.value?.readOnly ?? true;
  return (
    <button
      type="button"
      class={small ? 'small' : ''}
      aria-label={readOnly ? `${label}. ${READ_ONLY}` : label}
      aria-disabled={readOnly}
      title={readOnly ? READ_ONLY : label}
      onClick={() => !readOnly && onClick()}
    >
      {children}
    </button>
  );
}
