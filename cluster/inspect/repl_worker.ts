import { homedir } from 'node:os';
import path from 'node:path';
import repl from 'node:repl';
import { errorScreen } from '../../output/error_screen.js';
import { maskText } from '../../output/secrets.js';

interface PromptApp {
  name: string;
  config: { env: string };
  agent: unknown;
  createAnonymousContext(): { service: object };
  close(): Promise<void>;
}

const { entry, baseDir, framework } = JSON.parse(process.argv[2] as string);
const { start } = (await import(entry)) as { start(options: object): Promise<PromptApp> };

try {
  const app = await start({ baseDir, framework });
  const ctx = app.createAnonymousContext();
  const { service } = ctx;
  console.log(`${app.name} (${app.config.env}): app, agent, ctx, service; await works, .exit ends`);
  const prompt = repl.start({ prompt: '> ' });
  Object.assign(prompt.context, { app, agent: app.agent, ctx, service });
  prompt.setupHistory(path.join(homedir(), '.clutch_repl_history'), () => undefined);
  prompt.once('exit', () => void app.close().then(() => process.exit()));
} catch (error) {
  console.error(maskText(errorScreen(error as Error)));
  process.exit(1);
}
