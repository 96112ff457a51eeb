import { Icon } from '../parts/icon.js';
import { notice } from '../state/actions.js';

/** What the last action did. It is there from the beginning, since only changes of a live region are read out. */
export function Notice() {
  const current = notice.value;
  return (
    <div class="notice-place" role="status" aria-live="polite">
      {current && (
        <div class={`notice tone-${current.tone}`}>
          <Icon name={current.tone === 'info' ? 'wait' : current.tone} />
          <span>{current.text}</span>
          <button type="button" class="plain" aria-label="Close" onClick={() => (notice.value = undefined)}>
            <Icon name="close" size={12} />
          </button>
        </div>
      )}
    </div>
  );
}
