import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

export interface DatabaseConfig {
  /** `:memory:` for one that is forgotten. */
  file: string;
  /** SQL that runs each time the database is opened. */
  schema: string;
}

type Value = string | number | null;

export interface Database {
  all<Row>(sql: string, ...values: Value[]): Row[];
  /** @returns the id of the row that was inserted last, and how many rows have changed */
  run(sql: string, ...values: Value[]): { id: number; changes: number };
  close(): void;
}

/** The part of `node:sqlite` that is used here. */
interface NodeSqlite {
  DatabaseSync: new (
    file: string,
  ) => {
    exec(sql: string): void;
    prepare(sql: string): {
      all(...values: Value[]): unknown[];
      run(...values: Value[]): { lastInsertRowid: number | bigint; changes: number | bigint };
    };
    close(): void;
  };
}

export function openDatabase({ file, schema }: DatabaseConfig): Database {
  if (file !== ':memory:') mkdirSync(path.dirname(file), { recursive: true });
  const sqlite = process.getBuiltinModule('node:sqlite') as NodeSqlite | undefined;
  // Processes wait for each other. Not WAL: node-sqlite3-wasm cannot open a file that node:sqlite has used with it.
  const setup = `PRAGMA busy_timeout = 5000; PRAGMA journal_mode = TRUNCATE; ${schema}`;
  return sqlite ? openWithNode(sqlite, file, setup) : openWithWasm(file, setup);
}

function openWithNode({ DatabaseSync }: NodeSqlite, file: string, setup: string): Database {
  const database = new DatabaseSync(file);
  database.exec(setup);
  return {
    all: <Row>(sql: string, ...values: Value[]) => database.prepare(sql).all(...values) as Row[],
    run(sql, ...values) {
      const { lastInsertRowid, changes } = database.prepare(sql).run(...values);
      return { id: Number(lastInsertRowid), changes: Number(changes) };
    },
    close: () => database.close(),
  };
}

/** For Node before 22.13, which has no `node:sqlite`. */
function openWithWasm(file: string, setup: string): Database {
  const { Database } = requireWasm();
  const database = new Database(file);
  database.exec(setup);
  return {
    all: <Row>(sql: string, ...values: Value[]) => database.all(sql, values) as Row[],
    run(sql, ...values) {
      const { lastInsertRowid, changes } = database.run(sql, values);
      return { id: Number(lastInsertRowid), changes };
    },
    close: () => database.close(),
  };
}

function requireWasm(): typeof import('node-sqlite3-wasm') {
  try {
    return createRequire(import.meta.url)('node-sqlite3-wasm') as typeof import('node-sqlite3-wasm');
  } catch (cause) {
    throw new Error(
      `Node ${process.versions.node} has no node:sqlite: npm install node-sqlite3-wasm, or use Node 22.13 or later`,
      { cause },
    );
  }
}
