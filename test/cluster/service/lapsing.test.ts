import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askMaster } from 'koa-clutch/cluster';
import { Lapsing } from '../../../cluster/service/lapsing.js';
import { readEvents, startPage } from '../../support/admin.js';
import { until } from '../../support/apps.js';

class Value {
  isClosed = false;
  close(): void {
    this.isClosed = true;
  }
}

test('it is shared while it is used, closed after the last use, and made again', async () => {
  const lapsing = new Lapsing(async () => new Value(), 50);
  const first = await lapsing.use();
  assert.equal(await lapsing.use(), first);
  await until('it is closed', () => first.isClosed);
  const second = await lapsing.use();
  assert.notEqual(second, first);
  lapsing.close();
  await until('it is closed at once', () => second.isClosed);
});

test('what could not be made is made again with the next use', async () => {
  let isBroken = true;
  const lapsing = new Lapsing(async () => {
    if (isBroken) throw new Error('not yet');
    return new Value();
  }, 60_000);
  await assert.rejects(lapsing.use(), /not yet/);
  isBroken = false;
  assert.equal((await lapsing.use()).isClosed, false);
  lapsing.close();
});

test('clutch top and the page have the same history', async (t) => {
  const { page, baseDir } = await startPage(t);
  const stream = await readEvents(t, `${page}/api/events?views=now`);
  const { data } = await stream.find('now', ({ history }) => history.length > 1);
  const { history } = (await askMaster(baseDir, { command: 'view', name: 'now' })) as typeof data;
  assert.equal(history[0]?.at, data.history[0]?.at);
});
