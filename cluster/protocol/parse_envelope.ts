import { LARGEST_WINDOW } from '../../ipc/limits.js';
import { CONTROL, type Control, type Envelope, parseCarrier } from '../../ipc/message.js';

type Check = (data: unknown) => boolean;

const RECEIVERS: unknown[] = ['app', 'agent', 'master', 'parent'];

/**
 * Checks what a child or the parent has sent: app code shares the channel with the runtime and may write anything to it.
 * Only the known fields are kept, and the sender is not among them.
 *
 * @param token of the child that has sent it; without it nothing of the runtime is taken, except what an app may cause as well
 * @returns undefined when it is no message
 */
export function parseEnvelope(given: unknown, token?: string): Envelope | undefined {
  // Node's own convention for plain strings, taken over from Egg: the text is action and data.
  if (typeof given === 'string') return { action: given, data: given };
  if (!isObject(given)) return undefined;
  const { action, clutch, data, to, receiverPid, one, carrier } = given;
  if (to !== undefined && to !== null && !RECEIVERS.includes(to)) return undefined;
  const route: Pick<Envelope, 'to' | 'receiverPid' | 'one' | 'carrier'> = {};
  if (typeof to === 'string') route.to = to as NonNullable<Envelope['to']>;
  if (typeof receiverPid === 'string' || typeof receiverPid === 'number') route.receiverPid = String(receiverPid);
  if (one === true) route.one = true;
  if (carrier !== undefined) route.carrier = parseCarrier(carrier);
  if (typeof action === 'string') return Object.assign(route, { action, data });
  if (typeof clutch !== 'string' || !Object.hasOwn(CHECKS, clutch)) return undefined;
  if (given['token'] !== token && !UNSIGNED.includes(clutch)) return undefined;
  return CHECKS[clutch as Control]?.(data) ? Object.assign(route, { clutch: clutch as Control, data }) : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

const isText: Check = (data) => typeof data === 'string';

const isError: Check = (data) =>
  isObject(data) &&
  isText(data['name']) &&
  isText(data['message']) &&
  (data['stack'] === undefined || isText(data['stack']));

/** Lines in one heartbeat. */
const MOST_LINES = 20;

const STATS = [
  'rss',
  'heapUsed',
  'heapLimit',
  'cpu',
  'utilisation',
  'loopP50',
  'loopP99',
  'requests',
  'errors',
  'inFlight',
  'live',
  'connections',
  'lostLines',
  'droppedMessages',
];

const isStats: Check = (data) => {
  if (!isObject(data)) return false;
  const { lines, routes, gc } = data;
  return (
    (lines === undefined || (Array.isArray(lines) && lines.length <= MOST_LINES && lines.every(isText))) &&
    STATS.every((key) => isCount(data[key])) &&
    (routes === undefined || isRouteReport(routes)) &&
    (gc === undefined || (Array.isArray(gc) && gc.every(isCounts)))
  );
};

const isCounts: Check = (data) => Array.isArray(data) && data.every(isCount);

const isRouteReport: Check = (data) => {
  if (!isObject(data)) return false;
  const { added = [], changes } = data;
  return Array.isArray(added) && added.every(isRouteSeries) && Array.isArray(changes) && changes.every(isCounts);
};

const isRouteSeries: Check = (data) =>
  isObject(data) &&
  isText(data['method']) &&
  isText(data['route']) &&
  isText(data['status']) &&
  (data['file'] === undefined || isText(data['file']));

const isSlowRequest: Check = (data) =>
  isObject(data) &&
  ['method', 'url'].every((key) => isText(data[key])) &&
  ['at', 'pid', 'status', 'took'].every((key) => isCount(data[key])) &&
  ['route', 'traceId'].every((key) => data[key] === undefined || isText(data[key])) &&
  Array.isArray(data['spans']) &&
  data['spans'].every(isSpan);

const isSpan: Check = (data) =>
  isObject(data) &&
  isText(data['kind']) &&
  isText(data['name']) &&
  isCount(data['start']) &&
  ['took', 'parent'].every((key) => data[key] === undefined || isCount(data[key])) &&
  (data['error'] === undefined || isText(data['error']));

const isAddress: Check = (data) =>
  data === undefined ||
  (isObject(data) &&
    isText(data['address']) &&
    (data['port'] === undefined || isCount(data['port'])) &&
    (data['protocol'] === 'http' || data['protocol'] === 'https'));

const isOverdue: Check = (data) =>
  isObject(data) &&
  isCount(data['count']) &&
  isObject(data['resources']) &&
  Object.values(data['resources']).every(isCount) &&
  Array.isArray(data['requests']) &&
  data['requests'].every(isPendingRequest);

const isPendingRequest: Check = (data) =>
  isObject(data) &&
  isText(data['method']) &&
  isText(data['url']) &&
  isCount(data['age']) &&
  (data['route'] === undefined || isText(data['route'])) &&
  (data['stack'] === undefined || isText(data['stack']));

/** Characters of the id of a request. */
const LONGEST_ID = 100;

function isId(data: unknown): data is Record<string, unknown> & { id: string } {
  return isObject(data) && typeof data['id'] === 'string' && data['id'].length <= LONGEST_ID;
}

function isWindow(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= LARGEST_WINDOW;
}

/** What comes before the token, and what the messenger of the app sends. */
const UNSIGNED: string[] = [
  CONTROL.hello,
  CONTROL.request,
  CONTROL.reply,
  CONTROL.chunk,
  CONTROL.credit,
  CONTROL.cancel,
];

/** What a child may send; everything else comes from the Master. */
const CHECKS: Partial<Record<Control, Check>> = {
  [CONTROL.hello]: () => true,
  [CONTROL.bootError]: isError,
  [CONTROL.ready]: isAddress,
  [CONTROL.leaving]: (data) => data === undefined || isError(data),
  [CONTROL.progress]: () => true,
  [CONTROL.cut]: isCount,
  [CONTROL.overdue]: isOverdue,
  [CONTROL.load]: (data) => isObject(data) && isCount(data['inFlight']) && isCount(data['loopDelay']),
  [CONTROL.stats]: isStats,
  [CONTROL.slowRequests]: (data) => Array.isArray(data) && data.every(isSlowRequest),
  [CONTROL.prepareSocket]: isText,
  [CONTROL.tlsFiles]: (data) => Array.isArray(data) && data.length <= 3 && data.every(isText),
  [CONTROL.tlsReloaded]: (data) => data === undefined || isText(data),
  [CONTROL.request]: (data) =>
    isId(data) && isText(data['action']) && (data['window'] === undefined || isWindow(data['window'])),
  [CONTROL.reply]: (data) => isId(data) && (data['error'] === undefined || isError(data['error'])),
  [CONTROL.chunk]: (data) =>
    isId(data) && isCount(data['seq']) && (data['bytes'] === undefined || isText(data['bytes'])),
  [CONTROL.credit]: (data) => isId(data) && isWindow(data['count']),
  [CONTROL.cancel]: isId,
  [CONTROL.profiled]: (data) =>
    isObject(data) &&
    isText(data['file']) &&
    isCount(data['bytes']) &&
    (data['startedAt'] === undefined || isCount(data['startedAt'])) &&
    (data['error'] === undefined || isText(data['error'])),
  [CONTROL.connectionTaken]: isCount,
  [CONTROL.connectionRefused]: isCount,
};
