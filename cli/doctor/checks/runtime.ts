import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Finding } from '../finding.js';

const require = createRequire(import.meta.url);

/** Of Node's releases, those that Clutch's tests run on. */
const TESTED_MAJORS = [20, 22, 24];

/** What is known of Node and of the process, before anything of the app runs. */
export interface RuntimeFacts {
  node: string;
  /** `engines.node` by the package that has it. */
  engines: { from: string; range: string }[];
  /** Environment variable TZ. */
  timeZone: string | undefined;
  /** The first of LC_ALL, LC_CTYPE and LANG that is set. */
  locale: string | undefined;
  /** Whether this Node knows other languages than English. */
  hasFullIcu: boolean;
  /** Milliseconds since the epoch. */
  now: number;
  /** When the newest file was changed that is looked at, in milliseconds since the epoch. */
  newestFile: number;
  /** Open files that a process may have; undefined where there is no /proc. */
  fileLimit: number | undefined;
}

/** Milliseconds by which the clock of a file server may differ. */
const CLOCK_TOLERANCE = 24 * 60 * 60 * 1000;

/** Each connection is an open file: fewer than this are soon used up. */
const FILE_LIMIT = 4096;

export function gatherRuntime(engines: RuntimeFacts['engines'], newestFile: number): RuntimeFacts {
  const { TZ, LC_ALL, LC_CTYPE, LANG } = process.env;
  return {
    node: process.versions.node,
    engines,
    timeZone: TZ,
    locale: LC_ALL || LC_CTYPE || LANG,
    hasFullIcu: new Intl.DateTimeFormat('de').resolvedOptions().locale === 'de',
    now: Date.now(),
    newestFile,
    fileLimit: softFileLimit(),
  };
}

function softFileLimit(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return undefined;
  }
}

export function checkRuntime(facts: RuntimeFacts): Finding[] {
  return [...checkNode(facts), ...checkClock(facts), ...checkLocale(facts), ...checkFileLimit(facts)];
}

function checkNode({ node, engines }: RuntimeFacts): Finding[] {
  const { satisfies, minVersion, validRange } = require('semver') as {
    satisfies(version: string, range: string): boolean;
    minVersion(range: string): { version: string } | null;
    validRange(range: string): string | null;
  };
  const refused = engines.filter(({ range }) => !satisfies(node, range));
  const findings: Finding[] = refused.map(({ from, range }) => {
    const least = validRange(range) === null ? undefined : minVersion(range)?.version;
    return {
      level: 'error',
      what: `Node ${node} is not in the range "${range}"`,
      where: `engines.node of ${from}`,
      fix: least ? `nvm install ${least}, or another version of the range` : 'Correct the range.',
    };
  });
  const major = Number.parseInt(node, 10);
  if (refused.length > 0 || TESTED_MAJORS.includes(major)) return findings;
  return [
    {
      level: 'note',
      what: `Node ${major} is none of the versions that Clutch is tested with: ${TESTED_MAJORS.join(', ')}`,
      fix: `nvm install ${TESTED_MAJORS.at(-1)}`,
    },
  ];
}

function checkClock({ now, newestFile, timeZone }: RuntimeFacts): Finding[] {
  const findings: Finding[] = [];
  if (newestFile > now + CLOCK_TOLERANCE) {
    findings.push({
      level: 'warning',
      what: `the clock says ${new Date(now).toISOString()}, and files of the app are from ${new Date(newestFile).toISOString()}`,
      fix: 'Set the clock (timedatectl set-ntp true): cookies, sessions and schedules depend on it.',
    });
  }
  // `:file` names a file of the time zone database.
  if (timeZone && !timeZone.startsWith(':') && !isTimeZone(timeZone)) {
    findings.push({
      level: 'warning',
      what: `TZ=${timeZone} is not a time zone that Node knows; times of logs and schedules are in UTC`,
      where: 'environment variable TZ',
      fix: 'Name one of the IANA database, such as TZ=Asia/Shanghai.',
    });
  }
  return findings;
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) instanceof Intl.DateTimeFormat;
  } catch {
    return false;
  }
}

function checkLocale({ locale, hasFullIcu }: RuntimeFacts): Finding[] {
  const findings: Finding[] = [];
  if (!hasFullIcu) {
    findings.push({
      level: 'warning',
      what: 'this Node knows English only: dates, numbers and plurals of i18n are in English',
      fix: 'Use a Node with full ICU, which those of nodejs.org have, or NODE_ICU_DATA with the package full-icu.',
    });
  }
  const [, charset] = /\.([\w-]+)/.exec(locale ?? '') ?? [];
  if (charset && !/^utf-?8$/i.test(charset)) {
    findings.push({
      level: 'note',
      what: `the locale ${locale} is not UTF-8: programs that the app starts may read and print text in ${charset}`,
      where: 'environment variable LC_ALL, LC_CTYPE or LANG',
      fix: 'export LANG=C.UTF-8',
    });
  }
  return findings;
}

function checkFileLimit({ fileLimit }: RuntimeFacts): Finding[] {
  if (fileLimit === undefined || fileLimit >= FILE_LIMIT) return [];
  return [
    {
      level: fileLimit < 1024 ? 'warning' : 'note',
      what: `a process may have ${fileLimit} open files, and each connection is one`,
      where: 'limit of open files (ulimit -n)',
      fix: 'ulimit -n 65536, LimitNOFILE=65536 in a systemd unit, or --ulimit nofile=65536 of a container',
    },
  ];
}
