import type { AppConfig, PowerPartial } from 'koa-clutch';

export default {
  sqlite: { client: { file: ':memory:' } },
} satisfies PowerPartial<AppConfig>;
