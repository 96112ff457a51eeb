import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { LogFile } from '../../../../framework/lib/logger/log_file.js';
import { temporaryDirectory, until } from '../../../support/apps.js';

interface Case {
  log: LogFile;
  file: string;
  dir: string;
  /** Writes a line and waits until the file has had its turn. */
  write(line: string): void;
  content(): string;
}

/** Runs a test for a file that is written line by line and for one that is written in batches. */
function eachWay(name: string, run: (t: TestContext, given: Case) => Promise<void> | void): void {
  for (const buffered of [false, true]) {
    test(`${name} (${buffered ? 'buffered' : 'unbuffered'})`, async (t) => {
      const dir = path.join(temporaryDirectory(t), 'logs');
      const file = path.join(dir, 'a.log');
      const log = new LogFile(file, 'utf8', () => undefined);
      t.after(() => log.close());
      const write = (line: string): void => {
        log.write(`${line}\n`, buffered);
        if (buffered) log.flush();
      };
      await run(t, { log, file, dir, write, content: () => readFileSync(file, 'utf8') });
    });
  }
}

const recovered = ({ content }: Case, lines: string): Promise<unknown> =>
  until('the file is written again', () => {
    try {
      return content().includes(lines);
    } catch {
      return false;
    }
  });

eachWay(
  'a file and its directory are made with the first line, readable by owner and group',
  (_t, { file, write, content }) => {
    write('one');
    write('zwei ü');
    assert.equal(content(), 'one\nzwei ü\n');
    assert.equal(statSync(file).mode & 0o777 & ~0o640, 0);
  },
);

eachWay('the directory is removed: it is made again, and no line is lost', (_t, { log, dir, write, content }) => {
  write('one');
  rmSync(dir, { recursive: true });
  write('two');
  assert.equal(content(), 'two\n');
  assert.equal(log.lostLines, 0);
});

eachWay('the directory is replaced by a file: lines wait until it is gone', async (_t, given) => {
  const { log, dir, write } = given;
  write('one');
  rmSync(dir, { recursive: true });
  writeFileSync(dir, '');
  for (const line of ['two', 'three']) write(line);
  rmSync(dir);
  await recovered(given, 'two\nthree\n');
  assert.equal(log.lostLines, 0);
});

eachWay('the directory is a file from the beginning', async (_t, given) => {
  writeFileSync(given.dir, '');
  given.write('one');
  rmSync(given.dir);
  await recovered(given, 'one\n');
});

eachWay('the log is replaced by a directory: lines wait until it is gone', async (_t, given) => {
  const { file, write } = given;
  write('one');
  rmSync(file);
  mkdirSync(file);
  write('two');
  rmSync(file, { recursive: true });
  await recovered(given, 'two\n');
});

eachWay(
  'the log was renamed and a directory is in its place: lines go where the file is now',
  (_t, { file, write }) => {
    write('one');
    renameSync(file, `${file}.1`);
    mkdirSync(file);
    write('two');
    assert.equal(readFileSync(`${file}.1`, 'utf8'), 'one\ntwo\n');
  },
);

eachWay(
  'the log is rotated away by another tool: the next line begins a new file',
  (_t, { log, file, write, content }) => {
    write('one');
    renameSync(file, `${file}.1`);
    write('two');
    log.reopen();
    write('three');
    assert.equal(readFileSync(`${file}.1`, 'utf8') + content(), 'one\ntwo\nthree\n');
  },
);

eachWay('a log that was copied and emptied goes on at its beginning', (_t, { file, write, content }) => {
  write('one');
  writeFileSync(file, '');
  write('two');
  assert.equal(content(), 'two\n');
});

eachWay('a FIFO that nobody reads does not stop the process', async (_t, given) => {
  const { dir, file, write } = given;
  mkdirSync(dir);
  execFileSync('mkfifo', [file]);
  write('one');
  rmSync(file);
  await recovered(given, 'one\n');
});

eachWay('a device that is always full: lines wait', async (_t, given) => {
  const { dir, file, write, log } = given;
  mkdirSync(dir);
  symlinkSync('/dev/full', file);
  for (let index = 0; index < 3; index += 1) write(`line ${index}`);
  rmSync(file);
  await recovered(given, 'line 0\nline 1\nline 2\n');
  assert.equal(log.lostLines, 0);
});

eachWay('what waits is bounded; lines beyond are counted, and the log says so', async (_t, given) => {
  const { dir, file, write, log } = given;
  mkdirSync(dir);
  symlinkSync('/dev/full', file);
  const long = 'x'.repeat(1024 * 1024 - 1);
  for (let index = 0; index < 8; index += 1) write(long);
  assert.ok(log.lostLines >= 3, String(log.lostLines));
  rmSync(file);
  await recovered(given, `[clutch] ${log.lostLines} lines were lost: ENOSPC`);
});

test('no descriptor is free: lines wait until one is', (t) => {
  const file = path.join(temporaryDirectory(t), 'a.log');
  const script = `${import.meta.dirname}/../../../support/disk/exhaust_descriptors.js`;
  const { stdout, stderr } = spawnSync('sh', ['-c', `ulimit -n 64; exec "${process.execPath}" "${script}" "${file}"`], {
    encoding: 'utf8',
  });
  assert.equal(stdout, 'waits\nwritten 0\n', stderr);
  assert.match(stderr, /cannot be written: EMFILE/);
});

const isRoot = process.getuid?.() === 0;
const mounts = isRoot && spawnSync('unshare', ['-m', 'true']).status === 0;
const skip = mounts ? false : 'needs root, to mount a small file system';

/** In a mount namespace of its own: nothing is left mounted, whatever happens. */
function inNamespace(t: TestContext, options: string, script: string): { stdout: string; stderr: string } {
  const dir = temporaryDirectory(t);
  const command = `mount -t tmpfs ${options} tmpfs "${dir}" && exec "${process.execPath}" "${import.meta.dirname}/../../../support/disk/${script}" "${dir}"`;
  return spawnSync('unshare', ['-m', 'sh', '-c', command], { encoding: 'utf8' });
}

test('a full disk: what fits is written, the rest follows when there is space, no line is cut', { skip }, (t) => {
  const { stdout, stderr } = inNamespace(t, '-o size=64k', 'fill_disk.js');
  assert.equal(stdout, 'whole\n', stderr);
  assert.equal(stderr.match(/cannot be written: ENOSPC/g)?.length, 1);
  assert.equal(stderr.match(/is written again; 0 lines were lost/g)?.length, 1);
});

test('a read-only file system: lines wait until it can be written', { skip }, (t) => {
  const { stdout, stderr } = inNamespace(t, '-o size=64k', 'read_only_disk.js');
  assert.equal(stdout, 'written\n', stderr);
  assert.match(stderr, /cannot be written: EROFS/);
});

test('a read-only directory', { skip: isRoot ? 'root may write it' : false }, async (t) => {
  const dir = temporaryDirectory(t);
  chmodSync(dir, 0o500);
  const log = new LogFile(path.join(dir, 'a.log'), 'utf8', () => undefined);
  t.after(() => log.close());
  log.write('one\n', false);
  chmodSync(dir, 0o700);
  await until('it is written', () => existsSync(path.join(dir, 'a.log')));
});
