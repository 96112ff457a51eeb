/** What a worker reports of its routes with a heartbeat: what has changed since the last one. */
export interface RouteReport {
  /** Those that were counted for the first time; the changes name them by their index in the list of all. */
  added?: RouteSeries[];
  changes: RouteChange[];
}

/** The requests of a route that ended with a status of one class. */
export interface RouteSeries {
  /** `(other)` if it is none of HTTP's. */
  method: string;
  /** As it was declared; NO_ROUTE and OTHER_ROUTES stand for those without one of their own. */
  route: string;
  /** `2xx`; `none` if the client has left before the response began. */
  status: string;
  /** Of the controller. */
  file?: string;
}

/** Index of the series, milliseconds in all, and pairs of a bucket's index and how many requests it has got. */
export type RouteChange = number[];

/** No route has taken the request. */
export const NO_ROUTE = '(none)';
/** The process has too many routes to count each. */
export const OTHER_ROUTES = '(other)';

/** Methods of routes that a process counts by themselves. */
export const ROUTE_LIMIT = 200;
