import type { AppConfig, PowerPartial } from 'koa-clutch';

const { APP_KEYS, DATABASE_FILE } = process.env;

export default {
  ...(APP_KEYS ? { keys: APP_KEYS } : {}),
  ...(DATABASE_FILE ? { sqlite: { client: { file: DATABASE_FILE } } } : {}),
} satisfies PowerPartial<AppConfig>;
