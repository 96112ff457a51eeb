import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from './icon.js';

interface DialogProps {
  title: string;
  onClose(): void;
  /** Text of the button that does it; without it there is nothing to confirm. */
  confirm?: string;
  onConfirm?(): void;
  children: ComponentChildren;
}

/** A modal dialog. The browser keeps the focus in it and closes it on Escape. */
export function Dialog({ title, onClose, confirm, onConfirm, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    element.current?.showModal();
    return () => (before as HTMLElement | null)?.focus();
  }, []);
  return (
    <dialog ref={element} aria-labelledby="dialog-title" onClose={onClose}>
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          onConfirm?.();
          element.current?.close();
        }}
      >
        <header class="dialog-head">
          <h2 id="dialog-title">{title}</h2>
          <button type="button" class="plain" aria-label="Close" onClick={() => element.current?.close()}>
            <Icon name="close" />
          </button>
        </header>
        <div class="dialog-body">{children}</div>
        {confirm && (
          <footer class="dialog-foot">
            <button type="button" onClick={() => element.current?.close()}>
              Cancel
            </button>
            <button type="submit" class="primary">
              {confirm}
            </button>
          </footer>
        )}
      </form>
    </dialog>
  );
}
