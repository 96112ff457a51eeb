import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadApp } from '../../support/loaded_app.js';

const PATHS: [pattern: string, params: object | undefined, url: string][] = [
  ['/a/:b?', {}, '/a'],
  ['/a/:b?', undefined, '/a'],
  ['/a/:b?', { b: 1 }, '/a/1'],
  ['/:b?', {}, '/'],
  ['/a/:b?/c', {}, '/a/c'],
  ['/a/:b(\\d+)?', {}, '/a'],
  ['/a/:b(\\d+)?', { b: 7 }, '/a/7'],
  ['/a{/:b}', {}, '/a'],
  ['/a{/:b}', { b: 1 }, '/a/1'],
  ['/a{/:b}', { c: 1 }, '/a?c=1'],
  ['/:a/:b?', { b: 1 }, '/:a/1'],
  ['/a/:b?c=', { b: 1, d: 2 }, '/a/1?c=&d=2'],
  ['/:a', { a: '$& b' }, '/%24%26%20b'],
];

for (const [pattern, params, url] of PATHS) {
  test(`the URL of ${pattern} with ${JSON.stringify(params)} is ${url}`, (t) => {
    const app = loadApp(t, {
      'app/router.js': `module.exports = (app) => app.get('r', '${pattern.replaceAll('\\', '\\\\')}', () => 0);`,
    });
    assert.equal(app.url('r', params), url);
  });
}
