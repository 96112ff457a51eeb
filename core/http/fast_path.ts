import { FastRequest } from './fast_request.js';
import { FastResponse } from './fast_response.js';
import { findMissing, findReplaced } from './node_internals.js';
import { findDifference } from './self_check.js';

/** The newest major version of Node whose private members the test suite has been run with. */
const NEWEST_TESTED_NODE = 24;

const http = process.getBuiltinModule('node:http');

/** Options for a server of `node:http`. */
export const FAST_CLASSES = { IncomingMessage: FastRequest, ServerResponse: FastResponse };

/** @returns whether somebody has turned the fast classes off, by `config.http.fast = false` or `CLUTCH_HTTP_FAST=0` */
export function isTurnedOff(config: Record<string, unknown> | undefined): boolean {
  const settings = config?.['http'] as { fast?: boolean } | undefined;
  return settings?.fast === false || process.env['CLUTCH_HTTP_FAST'] === '0';
}

/** What the self-check has found; undefined before it has run, null if it found nothing. It runs once per process. */
let found: string | null | undefined;

/** @returns what speaks against the fast classes in this process */
export function whyNotFast(version = process.versions.node): string | undefined {
  if (Number.parseInt(version, 10) > NEWEST_TESTED_NODE) {
    return `Node ${version} is newer than ${NEWEST_TESTED_NODE}, the newest version that was tested`;
  }
  // Looked up each time: a tracer may be loaded between the first app of a process and the next.
  const replaced = findReplaced();
  if (replaced !== undefined) return `http.${replaced} is not Node's own, a tracer or a patch has replaced it`;
  if (found === undefined) found = runSelfCheck(version) ?? null;
  return found ?? undefined;
}

function runSelfCheck(version: string): string | undefined {
  const missing = findMissing();
  if (missing !== undefined) return `Node ${version} has no ${missing} as expected`;
  const difference = findDifference(http, FAST_CLASSES);
  return difference && `the self-check found a difference from Node ${version}: ${difference}`;
}
