// Fixture apps say require('egg') or import 'koa-clutch', as apps do that have it installed.
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const modules = path.join(root, 'test/fixtures/apps/node_modules');
rmSync(modules, { recursive: true, force: true });
mkdirSync(modules, { recursive: true });
for (const name of ['egg', 'koa-clutch']) symlinkSync(root, path.join(modules, name), 'dir');
