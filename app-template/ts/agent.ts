import { type Agent, Boot } from 'koa-clutch';

/** Runs once per machine, beside the app workers. */
export default class AgentBoot extends Boot<Agent> {
  configDidLoad(): void {
    this.agent.messenger.on('hello', (pid: number) => {
      this.agent.messenger.sendTo(pid, 'greeting', `the Agent ${process.pid} greets worker ${pid}`);
    });
  }
}
