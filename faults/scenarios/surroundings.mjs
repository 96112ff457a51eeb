// The machine around a cluster: its output, disk, descriptors, and what comes on its sockets.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { readyWorkers, until } from '../harness.mjs';
import { Load } from '../load.mjs';

/** A cluster under load while something is done to it, which must lose nothing. */
async function undisturbed(run, options, disturb) {
  const c = await run.start(options);
  const load = new Load(c.url);
  await until(() => load.requests > 50);
  await disturb(c);
  run.expect(await until(async () => (await readyWorkers(c)) === 2), 'not all workers are ready');
  const before = load.requests;
  run.expect(await until(() => load.requests > before + 50), 'it has stopped serving');
  return { ...(await load.stop()), heal: 0 };
}

export const closedOutput = {
  title: 'stdout and stderr closed by their reader, and a reload',
  go: (run) =>
    undisturbed(run, {}, async (c) => {
      c.process.stdout.destroy();
      c.process.stderr.destroy();
      await c.reload();
    }),
};

export const readOnlyRun = {
  title: 'run/ and logs/ read-only, and a reload',
  go: (run) =>
    undisturbed(run, {}, async (c) => {
      const dirs = ['run', 'logs'].map((name) => path.join(run.baseDir, name));
      for (const dir of dirs) mkdirSync(dir, { recursive: true });
      try {
        for (const dir of dirs) makeImmutable(dir);
        await c.reload();
      } finally {
        for (const dir of dirs) makeImmutable(dir, false);
      }
    }),
};

/** Root may write to read-only directories, so they are made immutable where the file system can. */
function makeImmutable(dir, on = true) {
  try {
    execFileSync('chattr', [on ? '+i' : '-i', dir], { stdio: 'ignore' });
  } catch {
    chmodSync(dir, on ? 0o500 : 0o700);
  }
}

export const fullDisk = {
  title: 'no space left for the logs, and a reload',
  go: (run) =>
    undisturbed(run, {}, async (c) => {
      // The disk is full for the logs alone.
      const dir = path.join(run.baseDir, 'logs');
      mkdirSync(dir, { recursive: true });
      for (const name of ['faults-web.log', 'egg-web.log', 'egg-agent.log', 'common-error.log']) {
        rmSync(path.join(dir, name), { force: true });
        symlinkSync('/dev/full', path.join(dir, name));
      }
      await c.reload();
      const failing = new Load(c.url, { path: '/fail', connections: 2, count: 200 });
      await failing.finished();
    }),
};

export const noDescriptors = {
  title: 'no file descriptor left in the workers for 2 s',
  go: (run) =>
    undisturbed(run, {}, async (c) => {
      const { processes } = await c.status();
      const workers = processes.filter(({ kind }) => kind === 'app worker');
      for (const { pid } of workers) limitDescriptors(pid, readdirSync(`/proc/${pid}/fd`).length);
      const others = new Load(c.url, { connections: 20 });
      await new Promise((resolve) => setTimeout(resolve, 2000));
      for (const { pid } of workers) limitDescriptors(pid, 4096);
      const { hung } = await others.stop();
      run.expect(hung === 0, `${hung} requests hung`);
    }),
};

function limitDescriptors(pid, count) {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${count}:`]);
}

export const fuzzedFrames = {
  title: '100,000 fuzzed frames on each socket, those of the Leader and of HTTP among them',
  go: (run) =>
    undisturbed(run, {}, async (c) => {
      const dir = path.join(run.baseDir, 'run');
      const sockets = readdirSync(dir)
        .map((name) => path.join(dir, name))
        .filter((file) => statSync(file).isSocket());
      run.expect(sockets.length > 1, 'the sockets of Master and Leader were not found');
      for (const place of [...sockets, Number(new URL(c.url).port)]) await fuzz(place, 100_000);
    }),
};

/** Sends frames of random bytes, some of which begin like good ones, on connections that are renewed when they are closed. */
async function fuzz(place, count) {
  let seed = 7;
  const random = (limit) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return seed % limit;
  };
  let sent = 0;
  while (sent < count) {
    await new Promise((resolve) => {
      const socket = net.connect(place, () => {
        while (sent < count && socket.writable) {
          sent += 1;
          const frame = Buffer.from(Array.from({ length: 1 + random(64) }, () => random(256)));
          if (random(3) === 0) frame.writeUInt8(random(16), 0);
          const text =
            random(4) === 0 ? `{"command":"${frame.toString('latin1').replace(/["\\\r\n]/g, '')}"}\n` : frame;
          if (!socket.write(text)) break;
          if (random(200) === 0) break;
        }
        socket.end();
      });
      socket.resume();
      socket.on('error', () => undefined);
      socket.on('close', resolve);
    });
  }
}
