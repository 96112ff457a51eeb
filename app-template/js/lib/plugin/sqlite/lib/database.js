import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

export function openDatabase({ file, schema }) {
  if (file !== ':memory:') mkdirSync(path.dirname(file), { recursive: true });
  const sqlite = process.getBuiltinModule('node:sqlite');
  // Processes wait for each other. Not WAL: node-sqlite3-wasm cannot open a file that node:sqlite has used with it.
  const setup = `PRAGMA busy_timeout = 5000; PRAGMA journal_mode = TRUNCATE; ${schema}`;
  return sqlite ? openWithNode(sqlite, file, setup) : openWithWasm(file, setup);
}

function openWithNode({ DatabaseSync }, file, setup) {
  const database = new DatabaseSync(file);
  database.exec(setup);
  return {
    all: (sql, ...values) => database.prepare(sql).all(...values),
    run(sql, ...values) {
      const { lastInsertRowid, changes } = database.prepare(sql).run(...values);
      return { id: Number(lastInsertRowid), changes: Number(changes) };
    },
    close: () => database.close(),
  };
}

/** For Node before 22.13, which has no `node:sqlite`. */
function openWithWasm(file, setup) {
  const { Database } = requireWasm();
  const database = new Database(file);
  database.exec(setup);
  return {
    all: (sql, ...values) => database.all(sql, values),
    run(sql, ...values) {
      const { lastInsertRowid, changes } = database.run(sql, values);
      return { id: Number(lastInsertRowid), changes };
    },
    close: () => database.close(),
  };
}

function requireWasm() {
  try {
    return createRequire(import.meta.url)('node-sqlite3-wasm');
  } catch (cause) {
    throw new Error(
      `Node ${process.versions.node} has no node:sqlite: npm install node-sqlite3-wasm, or use Node 22.13 or later`,
      { cause },
    );
  }
}
