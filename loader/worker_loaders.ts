import { Loader } from './loader.js';

/** The loader of app workers. */
export class AppWorkerLoader extends Loader {
  override loadConfig(): void {
    this.loadPlugin();
    super.loadConfig();
  }

  load(): void {
    this.loadApplicationExtend();
    this.loadRequestExtend();
    this.loadResponseExtend();
    this.loadContextExtend();
    this.loadHelperExtend();
    this.loadCustomLoader();
    this.loadCustomApp();
    this.loadService();
    this.loadMiddleware();
    this.loadController();
    this.loadRouter();
  }
}

/** The loader of the Agent. */
export class AgentWorkerLoader extends Loader {
  override loadConfig(): void {
    this.loadPlugin();
    super.loadConfig();
  }

  load(): void {
    this.loadAgentExtend();
    this.loadContextExtend();
    this.loadCustomAgent();
  }
}
