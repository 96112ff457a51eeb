import { ClockClient } from './clock_client.js';

export default class {
  constructor(app) {
    app.clock = app.cluster(ClockClient).create();
  }

  async didLoad() {
    const { FAULTS_BOOT: fault } = process.env;
    if (fault === 'throw') throw new Error('this code does not boot');
    if (fault === 'hang') await new Promise((resolve) => setTimeout(resolve, 3_600_000));
    if (fault === 'crash') setTimeout(() => process.exit(7), 50);
  }
}
