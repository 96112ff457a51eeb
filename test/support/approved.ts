import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './apps.js';

/** A screen that someone reads at three in the morning. */
const SCREEN = 15;

/** @returns a text in which what differs from run to run has placeholders */
export function withPlaceholders(text: string, dirs: Record<string, string>): string {
  const replaced = Object.entries(dirs).reduce((all, [name, dir]) => all.replaceAll(dir, `<${name}>`), text);
  return (
    replaced
      .replaceAll(ROOT, '<clutch>')
      // Node names the files of ES modules by URL, tsx by path.
      .replaceAll('file://<app>', '<app>')
      .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}/g, '<time>')
      .replace(/\b\d\d:\d\d:\d\d\b/g, '<clock>')
      .replace(/\b(INFO|WARN|ERROR) \d+\b/g, '$1 <pid>')
      .replace(/\b(pid|app worker|Agent|app worker <pid> →|Agent <pid> →) \d+/g, '$1 <pid>')
      .replace(/→ \d+/g, '→ <pid>')
      .replace(/^pid: \d+$/gm, 'pid: <pid>')
      .replace(/^hostname: .*$/gm, 'hostname: <host>')
      .replace(/(127\.0\.0\.1:|port )\d{4,5}\b/g, '$1<port>')
      .replace(/\b\d+(\.\d+)? (ms|s)\b/g, '<duration>')
      .replace(/used by \S+, pid/g, 'used by <program>, pid')
  );
}

/** Compares what a user sees with test/fixtures/approved/; `APPROVE=1` writes it there, to be read and committed. */
export function assertApproved(name: string, text: string): void {
  const lines = text.trimEnd().split('\n');
  assert.ok(lines.length <= SCREEN, `${lines.length} lines:\n${text}`);
  assert.doesNotMatch(text, /node:internal/);
  const file = path.join(ROOT, 'test/fixtures/approved', `${name}.txt`);
  if (process.env['APPROVE'] === '1') {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `${text.trimEnd()}\n`);
  }
  assert.equal(`${text.trimEnd()}\n`, readFileSync(file, 'utf8'), `see ${file}`);
}
