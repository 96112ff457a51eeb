import { Boot } from 'koa-clutch';

/** Runs once per machine, beside the app workers. */
export default class AgentBoot extends Boot {
  configDidLoad() {
    this.agent.messenger.on('hello', (pid) => {
      this.agent.messenger.sendTo(pid, 'greeting', `the Agent ${process.pid} greets worker ${pid}`);
    });
  }
}
