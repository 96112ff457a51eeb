import path from 'node:path';
import { bucketOf, noCounts } from '../protocol/latency.js';
import {
  NO_ROUTE,
  OTHER_ROUTES,
  ROUTE_LIMIT,
  type RouteChange,
  type RouteReport,
  type RouteSeries,
} from '../protocol/route_report.js';

/** A route is fast if it has had so many requests, and of the last ones at most this share has taken more than so many milliseconds. */
const ENOUGH = 20;
const SLOW_SHARE = 0.01;
const SLOW = bucketOf(10);
/** Requests after which older ones count half. */
const HALF_LIFE = 1000;

/** What the framework says of a route; one object for each. */
export interface Route {
  readonly path: string;
  readonly file?: string | undefined;
}

const METHODS = new Set(process.getBuiltinModule('node:http').METHODS);
const STATUS = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'];
const HIGHEST = STATUS.length - 1;

const WITHOUT: Route = { path: NO_ROUTE };
const OTHERS: Route = { path: OTHER_ROUTES };
const OTHER_METHOD = '(other)';

/** Of one route and method, lately. */
interface Speed {
  readonly key: string;
  requests: number;
  slow: number;
}

/** Requests of one route, method and class of status since the last report. */
interface Series {
  readonly index: number;
  readonly speed: Speed;
  readonly counts: number[];
  /** Milliseconds. */
  sum: number;
  changed: boolean;
}

/** Requests of one route and method. */
interface Counted {
  readonly route: Route;
  readonly method: string;
  readonly speed: Speed;
  /** By class of status. */
  readonly series: (Series | undefined)[];
}

/** Counts the requests of a worker by route, method, status and time. */
export class RouteHistograms {
  readonly #baseDir: string;
  readonly #routes = new Map<Route, Map<string, Counted>>();
  /** Routes and methods that are counted by themselves. */
  #counted = 0;
  #length = 0;
  #added: RouteSeries[] = [];
  #changed: Series[] = [];
  readonly #fast = new Set<string>();

  /** @param baseDir files of controllers are reported relative to it */
  constructor(baseDir: string) {
    this.#baseDir = baseDir;
  }

  /**
   * @param route undefined if the request has taken none
   * @param status 0 if there was no response
   * @param milliseconds from the request to the end of the response
   */
  count(route: Route | undefined, method: string, status: number, milliseconds: number): void {
    const known = route ?? WITHOUT;
    const counted = this.#routes.get(known)?.get(method) ?? this.#find(known, method);
    const kind = Math.min((status / 100) | 0, HIGHEST);
    const series = counted.series[kind] ?? this.#open(counted, kind);
    const { counts } = series;
    const bucket = bucketOf(milliseconds);
    counts[bucket] = (counts[bucket] as number) + 1;
    series.sum += milliseconds;
    if (series.changed) return;
    series.changed = true;
    this.#changed.push(series);
  }

  /** Clients choose the method, and an app may have any number of routes: what is beyond the limits is counted together. */
  #find(route: Route, method: string): Counted {
    if (!METHODS.has(method) && method !== OTHER_METHOD) return this.#find(route, OTHER_METHOD);
    const methods = this.#routes.get(route) ?? new Map<string, Counted>();
    const found = methods.get(method);
    if (found) return found;
    if (route !== WITHOUT && route !== OTHERS) {
      if (this.#counted === ROUTE_LIMIT) return this.#find(OTHERS, method);
      this.#counted += 1;
    }
    const speed = { key: keyOf(method, route.path), requests: 0, slow: 0 };
    const counted: Counted = { route, method, speed, series: new Array<undefined>(STATUS.length).fill(undefined) };
    methods.set(method, counted);
    this.#routes.set(route, methods);
    return counted;
  }

  #open({ route, method, speed, series }: Counted, kind: number): Series {
    const opened = { index: this.#length, speed, counts: noCounts(), sum: 0, changed: false };
    this.#length += 1;
    series[kind] = opened;
    const { path: declared, file } = route;
    const where = file === undefined ? {} : { file: path.relative(this.#baseDir, file) };
    this.#added.push({ method, route: declared, status: STATUS[kind] as string, ...where });
    return opened;
  }

  /** @returns what has changed since the last call; undefined if nothing has */
  take(): RouteReport | undefined {
    if (this.#changed.length === 0) return undefined;
    const changes = this.#changed.map(takeChange);
    for (const { speed } of this.#changed) this.#judge(speed);
    const added = this.#added;
    this.#changed = [];
    this.#added = [];
    return { changes, ...(added.length > 0 ? { added } : {}) };
  }

  #judge(speed: Speed): void {
    const { key, requests, slow } = speed;
    if (requests >= ENOUGH && slow <= requests * SLOW_SHARE) this.#fast.add(key);
    else this.#fast.delete(key);
    if (requests < HALF_LIFE) return;
    speed.requests /= 2;
    speed.slow /= 2;
  }

  /** Whether the requests of a route that were taken take little time: those that are too few to tell do not. */
  isFast(method: string, route: string = NO_ROUTE): boolean {
    return this.#fast.has(keyOf(method, route));
  }
}

function keyOf(method: string, path: string): string {
  return `${method} ${path}`;
}

function takeChange(series: Series): RouteChange {
  const { index, counts, sum, speed } = series;
  const change = [index, Math.round(sum * 1000) / 1000];
  for (let bucket = 0; bucket < counts.length; bucket += 1) {
    const count = counts[bucket] as number;
    if (count === 0) continue;
    change.push(bucket, count);
    counts[bucket] = 0;
    speed.requests += count;
    if (bucket > SLOW) speed.slow += count;
  }
  series.sum = 0;
  series.changed = false;
  return change;
}
