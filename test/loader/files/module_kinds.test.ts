import assert from 'node:assert/strict';
import { utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { helloApp, startDev } from '../../support/dev.js';
import { requestJson } from '../../support/http.js';

test('clutch dev loads .ts, .mts, .cts, .mjs and .cjs, and the source where an older .js lies beside it', async (t) => {
  const dir = await helloApp(t, 'ts');
  const service = (name: string, text: string) => writeFileSync(path.join(dir, 'app/service', name), text);
  const esm = "{ kind() { return import.meta.url.split('.').at(-1)?.slice(0, 3); } }";
  const cjs = "{ kind() { return require('node:path').extname(__filename).slice(1); } }";
  service('kind_mts.mts', `export default class ${esm}`);
  service('kind_mjs.mjs', `export default class ${esm}`);
  service('kind_cts.cts', `const path: string = __filename; module.exports = class ${cjs};`);
  service('kind_cjs.cjs', `module.exports = class ${cjs};`);
  service('kind_stale.ts', "export default class { kind() { return 'source'; } }");
  service('kind_stale.js', "export default class { kind() { return 'stale'; } }");
  utimesSync(path.join(dir, 'app/service/kind_stale.js'), 1e9, 1e9);
  const names = ['kindMts', 'kindMjs', 'kindCts', 'kindCjs', 'kindStale'];
  writeFileSync(
    path.join(dir, 'app/router.ts'),
    `export default (app: any) => app.get('/kinds', (ctx: any) => {
      ctx.body = ${JSON.stringify(names)}.map((name) => ctx.service[name].kind());
    });`,
  );
  const { url } = await startDev(t, dir);
  assert.deepEqual(await requestJson(`${url}/kinds`), ['mts', 'mjs', 'cts', 'cjs', 'source']);
});
