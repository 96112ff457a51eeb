import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { ClutchError } from '../../../errors.js';
import { makeDirectory } from '../../../output/make_directory.js';
import { loadInstalled } from '../../fleet/lib/adapter/load_client.js';
import type { Counts, EngineOptions, JobEngine, Keep } from '../lib/engine/engine.js';
import type { JobTable } from '../lib/engine/job_table.js';
import { type JobRecord, type JobState, shown } from '../lib/engine/record.js';
import { TableEngine } from '../lib/engine/table_engine.js';

type Value = string | number | null;

/** What the libraries have in common. */
interface Database {
  exec(sql: string): void;
  all(sql: string, values: Value[]): unknown[];
  close(): void;
}

interface Statement {
  all(...values: Value[]): unknown[];
  run(...values: Value[]): unknown;
  /** Of better-sqlite3: whether the statement gives rows. */
  reader?: boolean;
}

interface SyncDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): Statement;
  close(): void;
}

// WAL, which node-sqlite3-wasm lacks, adds several times as many jobs a second as a rollback journal. FULL: what was added is on the disk,
// also after a power failure.
const SETUP = `
PRAGMA busy_timeout = 5000;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS clutch_jobs (
  sequence INTEGER PRIMARY KEY, queue TEXT NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL, time INTEGER NOT NULL, record TEXT NOT NULL,
  UNIQUE (queue, id));
CREATE INDEX IF NOT EXISTS clutch_jobs_time ON clutch_jobs (queue, state, time);
CREATE TABLE IF NOT EXISTS clutch_paused (queue TEXT PRIMARY KEY);`;

const PUT = `INSERT INTO clutch_jobs (queue, id, state, time, record) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (queue, id) DO UPDATE SET state = excluded.state, time = excluded.time, record = excluded.record`;

const PRUNE = `DELETE FROM clutch_jobs WHERE sequence IN (
SELECT sequence FROM clutch_jobs WHERE queue = ? AND state = ? ORDER BY time DESC, sequence DESC LIMIT -1 OFFSET ?)`;

/** @throws {ClutchError} ERR_CLUTCH_JOBS when the file or a library for it is missing */
export function sqliteEngine(options: EngineOptions): JobEngine {
  return new TableEngine(new SqliteTable(openDatabase(options)), options);
}

class SqliteTable implements JobTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
    database.exec(SETUP);
  }

  transaction<T>(work: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #records(condition: string, ...values: Value[]): JobRecord[] {
    const rows = this.#database.all(`SELECT record FROM clutch_jobs WHERE ${condition}`, values);
    return (rows as { record: string }[]).map(({ record }) => JSON.parse(record) as JobRecord);
  }

  get(queue: string, id: string): JobRecord | undefined {
    return this.#records('queue = ? AND id = ?', queue, id)[0];
  }

  put(queue: string, record: JobRecord): void {
    const { id, state, runAt, leasedUntil = 0, endedAt } = record;
    const time = endedAt ?? (state === 'active' ? leasedUntil : runAt);
    this.#database.all(PUT, [queue, id, state, time, JSON.stringify(record)]);
  }

  nextDue(queue: string, now: number): JobRecord | undefined {
    const [first] = this.#records(
      `queue = ? AND state = 'waiting' AND time <= ? ORDER BY time, sequence LIMIT 1`,
      queue,
      now,
    );
    return first;
  }

  lost(queue: string, now: number): JobRecord[] {
    return this.#records(`queue = ? AND state = 'active' AND time <= ?`, queue, now);
  }

  nextTime(queue: string): number | undefined {
    const sql = `SELECT MIN(time) AS time FROM clutch_jobs WHERE queue = ? AND state IN ('waiting', 'active')`;
    const [row] = this.#database.all(sql, [queue]) as { time: number | null }[];
    return row?.time ?? undefined;
  }

  list(queue: string, state: JobState, limit: number, now: number): JobRecord[] {
    const stored = state === 'delayed' ? 'waiting' : state;
    const when = state === 'delayed' ? 'AND time > ?' : state === 'waiting' ? 'AND time <= ?' : 'AND ? > 0';
    const condition = `queue = ? AND state = ? ${when} ORDER BY time DESC, sequence DESC LIMIT ?`;
    return this.#records(condition, queue, stored, now, limit).map((record) => shown(record, now));
  }

  counts(queue: string, now: number): Counts {
    const sql = `SELECT state, COUNT(*) AS total, SUM(time > ?) AS later FROM clutch_jobs WHERE queue = ? GROUP BY state`;
    const rows = this.#database.all(sql, [now, queue]) as { state: JobState; total: number; later: number }[];
    const counts: Counts = { waiting: 0, delayed: 0, active: 0, completed: 0, failed: 0 };
    for (const { state, total, later } of rows) {
      counts[state] = Number(total);
      if (state !== 'waiting') continue;
      counts.delayed = Number(later);
      counts.waiting -= counts.delayed;
    }
    return counts;
  }

  prune(queue: string, keep: Keep): void {
    for (const state of ['completed', 'failed'] as const) this.#database.all(PRUNE, [queue, state, keep[state]]);
  }

  isPaused(queue: string): boolean {
    return this.#database.all('SELECT queue FROM clutch_paused WHERE queue = ?', [queue]).length > 0;
  }

  setPaused(queue: string, paused: boolean): void {
    const sql = paused
      ? 'INSERT OR IGNORE INTO clutch_paused (queue) VALUES (?)'
      : 'DELETE FROM clutch_paused WHERE queue = ?';
    this.#database.all(sql, [queue]);
  }

  close(): void {
    this.#database.close();
  }
}

/** `node:sqlite` from Node 22.13 on; before, what the app has installed. */
function openDatabase({ file, baseDir }: EngineOptions): Database {
  makeDirectory(path.dirname(file));
  const sqlite = process.getBuiltinModule('node:sqlite') as
    | { DatabaseSync: new (file: string) => SyncDatabase }
    | undefined;
  if (sqlite) return prepared(new sqlite.DatabaseSync(file));
  const better = loadInstalled<new (file: string) => SyncDatabase>('better-sqlite3', baseDir);
  if (better) return prepared(new better(file));
  const wasm = loadInstalled<{ Database: new (file: string) => Database }>('node-sqlite3-wasm', baseDir);
  if (wasm) {
    assertNoWal(file);
    return new wasm.Database(file);
  }
  throw new ClutchError(
    'ERR_CLUTCH_JOBS',
    `Node ${process.versions.node} has no SQLite, and no package for it is installed`,
    {
      where: 'config.jobs.engine is "sqlite"',
      fix: 'Use Node 22.13 or later, or run `npm install better-sqlite3` (or `node-sqlite3-wasm`, which needs no compiler).',
    },
  );
}

/** Byte of a file that is 2 in WAL mode; https://sqlite.org/fileformat.html, section 1.3. */
const WRITE_VERSION = 18;

/** @throws {ClutchError} ERR_CLUTCH_JOBS when another library has used the file */
function assertNoWal(file: string): void {
  if (!existsSync(file) || readByte(file, WRITE_VERSION) !== 2) return;
  throw new ClutchError(
    'ERR_CLUTCH_JOBS',
    'node-sqlite3-wasm cannot open a file that another SQLite library has used',
    {
      where: `config.jobs.file is ${file}, in WAL mode`,
      fix: 'Use Node 22.13 or later, or run `npm install better-sqlite3`; without the jobs in it, remove the file.',
    },
  );
}

function readByte(file: string, position: number): number | undefined {
  const byte = Buffer.alloc(1);
  const fd = openSync(file, 'r');
  try {
    return readSync(fd, byte, 0, 1, position) === 1 ? byte[0] : undefined;
  } finally {
    closeSync(fd);
  }
}

function prepared(database: SyncDatabase): Database {
  const statements = new Map<string, Statement>();
  return {
    exec: (sql) => void database.exec(sql),
    all(sql, values) {
      let statement = statements.get(sql);
      if (!statement) statements.set(sql, (statement = database.prepare(sql)));
      if (statement.reader !== false) return statement.all(...values);
      statement.run(...values);
      return [];
    },
    close: () => database.close(),
  };
}
