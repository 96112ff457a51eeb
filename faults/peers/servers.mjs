// Others that supervise workers, each started with two of them on a port, as its documentation says.
import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { installPeers } from '../../bench/peers.mjs';

const run = promisify(execFile);
const here = fileURLToPath(new URL('.', import.meta.url));

const CLI = path.join(here, '../../dist/cli/index.js');

/** Name → what is installed, the command that starts it, and the one that reloads it. */
export const PEERS = {
  clutch: {
    packages: [],
    /** The same app as on Egg. */
    prepare({ dir }) {
      cpSync(path.join(here, 'egg_app'), dir, { recursive: true });
    },
    start: ({ dir, port }) => [
      process.execPath,
      [CLI, 'start', '--workers', '2', '--port', String(port), dir],
      { EGG_SERVER_ENV: 'prod' },
    ],
    reload: ({ dir, env }) => run(process.execPath, [CLI, 'reload', dir], { cwd: dir, env }),
  },
  pm2: {
    packages: ['pm2@7', 'koa@3'],
    prepare({ dir, port }) {
      const app = {
        name: 'faults',
        script: path.join(here, 'pm2_main.mjs'),
        exec_mode: 'cluster',
        instances: 2,
        wait_ready: true,
        kill_timeout: 5000,
        env: { PORT: port },
      };
      writeFileSync(path.join(dir, 'ecosystem.config.cjs'), `module.exports = ${JSON.stringify({ apps: [app] })};`);
    },
    start: ({ bin, dir }) => [
      path.join(bin, 'pm2-runtime'),
      ['start', path.join(dir, 'ecosystem.config.cjs')],
      { PM2_HOME: path.join(dir, 'pm2') },
    ],
    reload: ({ bin, dir, env }) => run(path.join(bin, 'pm2'), ['reload', 'faults'], { cwd: dir, env }),
  },
  wattpm: {
    packages: ['wattpm@3', '@platformatic/node@3', 'koa@3'],
    /** Its workers are threads: none can be killed alone. */
    hasProcesses: false,
    prepare({ dir, port }) {
      const server = { hostname: '127.0.0.1', port };
      writeJson(dir, 'package.json', { name: 'faults', private: true });
      writeJson(dir, 'watt.json', {
        $schema: 'https://schemas.platformatic.dev/wattpm/3.0.0.json',
        server,
        workers: 2,
        autoload: { path: 'web' },
        entrypoint: 'main',
      });
      mkdirSync(path.join(dir, 'web/main'), { recursive: true });
      writeJson(path.join(dir, 'web/main'), 'package.json', { type: 'module', main: 'index.js' });
      writeJson(path.join(dir, 'web/main'), 'watt.json', {
        $schema: 'https://schemas.platformatic.dev/@platformatic/node/3.0.0.json',
      });
      writeFileSync(
        path.join(dir, 'web/main/index.js'),
        `import http from 'node:http';\nimport { createServer } from ${JSON.stringify(path.join(here, 'koa_app.mjs'))};\nexport const create = () => http.createServer(createServer());\n`,
      );
    },
    start: ({ bin, dir }) => [path.join(bin, 'wattpm'), ['start', dir], {}],
    reload: ({ bin, dir, env, child }) =>
      run(path.join(bin, 'wattpm'), ['restart', String(child.pid)], { cwd: dir, env }),
  },
  egg: {
    packages: ['egg@3'],
    prepare({ dir }) {
      cpSync(path.join(here, 'egg_app'), dir, { recursive: true });
    },
    start: ({ peers, dir, port }) => [
      process.execPath,
      ['-e', `require('egg').startCluster({ baseDir: ${JSON.stringify(dir)}, workers: 2, port: ${port} })`],
      { EGG_SERVER_ENV: 'prod', HOME: dir, EGG_HOME: dir, NODE_PATH: path.join(peers, 'node_modules') },
    ],
    // It has no reload: an app is stopped and started.
  },
};

/** Starts one of them in a directory of its own. */
export function startPeer(name, { dir, port }) {
  const peer = PEERS[name];
  const isOther = peer.packages.length > 0;
  const peers = isOther ? installPeers(`faults-${name}`, peer.packages) : path.join(here, '../..');
  const bin = path.join(peers, 'node_modules/.bin');
  if (isOther) symlinkSync(path.join(peers, 'node_modules'), path.join(dir, 'node_modules'), 'dir');
  peer.prepare({ dir, port });
  const [command, args, more] = peer.start({ bin, dir, port, peers });
  const env = {
    ...process.env,
    NODE_ENV: 'production',
    ...more,
    PORT: String(port),
    FAULTS_PEERS: path.join(peers, 'package.json'),
    FAULTS_DIR: dir,
  };
  const child = spawn(command, args, { cwd: dir, env, stdio: 'ignore' });
  return {
    child,
    reload: peer.reload && (() => peer.reload({ bin, dir, env, child })),
    hasProcesses: peer.hasProcesses ?? true,
  };
}

function writeJson(dir, name, content) {
  writeFileSync(path.join(dir, name), JSON.stringify(content));
}
