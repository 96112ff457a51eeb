export const KINDS = ['controller', 'service', 'middleware', 'schedule', 'job', 'plugin', 'test'] as const;

export type Kind = (typeof KINDS)[number];
/** TypeScript, or JavaScript as ES modules or CommonJS. */
export type Language = 'ts' | 'esm' | 'cjs';

/** @returns files of an app, by their paths in it */
export function sourcesOf(kind: Kind, name: string, language: Language): Record<string, string> {
  const extension = language === 'ts' ? 'ts' : 'js';
  switch (kind) {
    case 'controller':
      return { [`app/controller/${name}.${extension}`]: controller(className(name, 'Controller'), language) };
    case 'service':
      return { [`app/service/${name}.${extension}`]: service(className(name, 'Service'), language) };
    case 'middleware':
      return { [`app/middleware/${name}.${extension}`]: middleware(language) };
    case 'schedule':
      return { [`app/schedule/${name}.${extension}`]: schedule(language) };
    case 'job':
      return { [`app/job/${name}.${extension}`]: job(className(name, 'Job'), language) };
    case 'plugin':
      return plugin(name, language, extension);
    case 'test':
      return { [`test/${name}.test.${extension}`]: test(name, language) };
  }
}

function className(name: string, suffix: string): string {
  const words = (name.split('/').at(-1) as string).split(/[_-]/);
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('') + suffix;
}

function classFile(base: 'Controller' | 'Service', name: string, language: Language, body: string): string {
  const head =
    language === 'cjs' ? `const { ${base} } = require('koa-clutch');\n` : `import { ${base} } from 'koa-clutch';\n`;
  return `${head}\n${exported(language)} class ${name} extends ${base} {\n${body}\n}${language === 'cjs' ? ';' : ''}\n`;
}

function exported(language: Language): string {
  return language === 'cjs' ? 'module.exports =' : 'export default';
}

/** Text that only TypeScript has. */
function typed(language: Language, text: string): string {
  return language === 'ts' ? text : '';
}

function controller(name: string, language: Language): string {
  return classFile(
    'Controller',
    name,
    language,
    `  async index()${typed(language, ': Promise<void>')} {\n    this.ctx.body = { ok: true };\n  }`,
  );
}

function service(name: string, language: Language): string {
  return classFile(
    'Service',
    name,
    language,
    `  async find(id${typed(language, ': string')})${typed(language, ': Promise<{ id: string }>')} {\n    return { id };\n  }`,
  );
}

function middleware(language: Language): string {
  const head = typed(language, "import type { Middleware } from 'koa-clutch';\n\n");
  const options = language === 'ts' ? '_options: object' : '_options';
  return `${head}/** Listed in config.middleware to run for every request. */
${exported(language)} (${options})${typed(language, ': Middleware')} => {
  return async (ctx, next) => {
    await next();
    ctx.set('x-example', 'yes');
  };
};
`;
}

function schedule(language: Language): string {
  const type = typed(language, "import type { Context } from 'koa-clutch';\n\n");
  const [first, second] =
    language === 'cjs' ? ['exports.schedule =', 'exports.task ='] : ['export const schedule =', 'export const task ='];
  return `${type}/** Each hour, in one of the app workers. */
${first} { type: 'worker', interval: '1h' };

${second} async (ctx${typed(language, ': Context')})${typed(language, ': Promise<void>')} => {
  ctx.logger.info('the schedule has run');
};
`;
}

function job(name: string, language: Language): string {
  const imports = typed(language, "import type { Context, Job } from 'koa-clutch';\n\n");
  const [open, close] = language === 'ts' ? ['  readonly #ctx: Context;\n\n', 'ctx: Context'] : ['  #ctx;\n\n', 'ctx'];
  const handle = language === 'ts' ? 'data: { id: string }, job: Job): Promise<void>' : 'data, job)';
  const options = typed(language, ': JobOptions');
  return `${options ? imports.replace('Job }', 'Job, JobOptions }') : imports}/** Plugin jobs runs it, perhaps more than once: doing it again must do no harm. */
${exported(language)} class ${name} {
  static options${options} = { attempts: 5, timeout: '1m' };
${open}  constructor(${close}) {
    this.#ctx = ctx;
  }

  async handle(${handle} {
    this.#ctx.logger.info('job %s, attempt %s: %j', job.id, job.attempt, data);
  }
}${language === 'cjs' ? ';' : ''}
`;
}

function plugin(name: string, language: Language, extension: string): Record<string, string> {
  const dir = `lib/plugin/${name}`;
  const key = name
    .split('/')
    .at(-1)
    ?.replaceAll(/[-_](\w)/g, (_, letter: string) => letter.toUpperCase()) as string;
  const pkg = { name: `${name.replaceAll('/', '-')}-plugin`, private: true, eggPlugin: { name: key } };
  const type = language === 'cjs' ? {} : { type: 'module' };
  const boot =
    language === 'ts'
      ? `import { Boot } from 'koa-clutch';\n\n/** Turned on in config/plugin.ts: ${key}: { enable: true, path: … } */\nexport default class extends Boot {\n  async didLoad(): Promise<void> {\n    this.app.logger.info('plugin ${key} is loaded');\n  }\n}\n`
      : `/** Turned on in config/plugin.js: ${key}: { enable: true, path: … } */\n${exported(language)} class {\n  constructor(app) {\n    this.app = app;\n  }\n\n  async didLoad() {\n    this.app.logger.info('plugin ${key} is loaded');\n  }\n}${language === 'cjs' ? ';' : ''}\n`;
  return {
    [`${dir}/package.json`]: `${JSON.stringify({ ...pkg, ...type }, null, 2)}\n`,
    [`${dir}/app.${extension}`]: boot,
    [`${dir}/config/config.default.${extension}`]:
      language === 'cjs' ? `exports.${key} = {};\n` : `export default { ${key}: {} };\n`,
  };
}

function test(name: string, language: Language): string {
  const imports =
    language === 'cjs'
      ? "const assert = require('node:assert/strict');\nconst { after, test } = require('node:test');\nconst { start } = require('koa-clutch');\n"
      : "import assert from 'node:assert/strict';\nimport { after, test } from 'node:test';\nimport { start } from 'koa-clutch';\n";
  return `${imports}
test('${name}', async () => {
  const app = await start();
  after(() => app.close());
  assert.ok(app.config.keys);
});
`;
}
