import { executionAsyncResource } from 'node:async_hooks';

const kept: object[] = [];

/**
 * Keeps `process.nextTick` fast on Node 20. It makes an object for each call, and its V8 forgets their shape when a full
 * collection finds none of them alive, as between the boot and the first request. From then on it makes them in its slow way,
 * several for each request, as long as the process lives. One that is held keeps the shape.
 */
export function keepTickFast(): void {
  process.nextTick(() => kept.push(executionAsyncResource()));
}
