import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const { createHash } = process.getBuiltinModule('node:crypto');

const DIRECTORY = fileURLToPath(new URL('../../../page', import.meta.url));

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
};

interface Asset {
  file: string;
  type: string;
  /** Read at the first request. */
  loaded?: { body: Buffer; etag: string };
}

/** The files of the page: what was in its directory at first, by its path in URLs. Nothing else is served. */
export class Assets {
  readonly #assets = new Map<string, Asset>();

  constructor(directory = DIRECTORY) {
    for (const name of namesIn(directory)) {
      const type = TYPES[path.extname(name)];
      if (type === undefined) continue;
      const url = name === 'index.html' ? '/' : `/assets/${name.replace(/^assets\//, '')}`;
      this.#assets.set(url, { file: path.join(directory, name), type });
    }
  }

  /** @returns false if there is no such file */
  serve(url: string, { method, headers }: IncomingMessage, res: ServerResponse): boolean {
    const asset = this.#assets.get(url);
    if (!asset) return false;
    asset.loaded ??= load(asset.file);
    const { body, etag } = asset.loaded;
    // Asked for each time, since the next version of Clutch may have another: 304 costs nothing on this machine.
    const common = { etag, 'cache-control': 'no-cache' };
    if (headers['if-none-match'] === etag) res.writeHead(304, common).end();
    else {
      res.writeHead(200, { ...common, 'content-type': asset.type, 'content-length': body.length });
      res.end(method === 'HEAD' ? undefined : body);
    }
    return true;
  }
}

function load(file: string): { body: Buffer; etag: string } {
  const body = readFileSync(file);
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` };
}

function namesIn(directory: string): string[] {
  try {
    const names = readdirSync(directory, { recursive: true }) as string[];
    return names.map((name) => name.replaceAll(path.sep, '/'));
  } catch {
    // A build without the page.
    return [];
  }
}
