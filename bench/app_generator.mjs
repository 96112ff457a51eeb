// Writes an app of a given size, for measuring how loading scales.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * @param {{ controllers: number, services: number, plugins: number, leaves: number }} size
 * @param framework name and directory of the package that the app is for
 */
export function generateApp(
  dir,
  { controllers, services, plugins, leaves },
  framework = { name: 'koa-clutch', dir: root },
) {
  const write = (file, text) => {
    mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
    writeFileSync(path.join(dir, file), text);
  };
  const numbers = (count) => Array.from({ length: count }, (_, index) => index);
  write('package.json', '{ "name": "generated", "egg": {} }');
  write('config/config.default.js', `module.exports = ${groups(leaves)};\nmodule.exports.keys = 'bench';\n`);
  const declared = numbers(plugins).map((n) => `p${n}: { path: path.join(__dirname, '../plugins/p${n}') }`);
  write('config/plugin.js', `const path = require('path');\nmodule.exports = { ${declared.join(', ')} };\n`);
  for (const n of numbers(plugins)) {
    const dependencies = n > 0 ? [`p${n - 1}`] : [];
    write(`plugins/p${n}/package.json`, JSON.stringify({ name: `p${n}`, eggPlugin: { name: `p${n}`, dependencies } }));
    write(`plugins/p${n}/config/config.default.js`, `exports.p${n} = { on: true };\n`);
    write(`plugins/p${n}/app/extend/context.js`, `exports.fromP${n} = ${n};\n`);
  }
  for (const n of numbers(services)) {
    write(
      `app/service/group${n % 10}/s${n}.js`,
      `const { Service } = require('${framework.name}');\nmodule.exports = class extends Service { value() { return ${n}; } };\n`,
    );
  }
  for (const n of numbers(controllers)) {
    write(
      `app/controller/c${n}.js`,
      `const { Controller } = require('${framework.name}');\nmodule.exports = class extends Controller { async index() { this.ctx.body = { n: ${n} }; } };\n`,
    );
  }
  const routes = numbers(controllers).map((n) => `  app.get('/c${n}/:id', 'c${n}.index');`);
  routes.push("  app.get('/', async (ctx) => { ctx.body = {}; });");
  write('app/router.js', `module.exports = (app) => {\n${routes.join('\n')}\n};\n`);
  mkdirSync(path.join(dir, 'node_modules'), { recursive: true });
  symlinkSync(framework.dir, path.join(dir, 'node_modules', framework.name), 'dir');
}

function groups(leaves) {
  const all = {};
  for (let n = 0; n < leaves; n += 1) {
    const group = `group${n % 20}`;
    all[group] = { ...all[group], [`leaf${n}`]: n };
  }
  return JSON.stringify(all);
}
