import type { TimingItem } from '../../../loader/index.js';
import type { Logger } from '../logger/logger.js';

interface Booted {
  config: { dump: { timing: { slowBootActionMinDuration: number } } };
  timing: { toJSON(): TimingItem[] };
  coreLogger: Logger;
}

/** Warns of what loaded or ran longer than `config.dump.timing.slowBootActionMinDuration` milliseconds. */
export function warnOfSlowSteps(app: Booted): void {
  const { config, timing } = app;
  for (const { name, duration = 0, index } of timing.toJSON()) {
    const isStep = index > 0 && !/^(?:Application|Agent) Start$/.test(name);
    if (isStep && duration >= config.dump.timing.slowBootActionMinDuration) {
      app.coreLogger.warn('[clutch] slow boot: %s took %d ms', name, duration);
    }
  }
}
