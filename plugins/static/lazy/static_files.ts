import { readdirSync, type Stats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { StaticDirectory } from '../lib/options.js';
import { pathIn } from '../lib/path_in.js';

const require = createRequire(import.meta.url);
const compress = promisify(gzip);
/** Bytes up to which a file is kept in memory, or read at once. */
const SMALL = 1024 * 1024;
/** Bytes that all files in memory may take. */
const MAX_BYTES = 128 * 1024 * 1024;
const ENCODINGS = { br: '.br', gzip: '.gz' };
const COMPRESSIBLE = /^(?:text\/|application\/(?:.*\+)?(?:json|javascript|xml|wasm)\b|image\/svg)/;

export type Encoding = keyof typeof ENCODINGS;

/** The bytes of a file, plain or compressed. */
export interface Content {
  file: string;
  size: number;
  /** Undefined for a file that is not kept in memory. */
  bytes: Buffer | undefined;
}

/** One file, with what its responses say of it. */
export interface StaticFile {
  content: Content;
  encoded: Partial<Record<Encoding, Content>>;
  type: string;
  etag: string;
  lastModified: string;
  cacheControl: string;
}

type Directory = StaticDirectory & { prefix: string };

/** The files of one directory, in memory where `buffer` says so. */
export class StaticFiles {
  readonly prefix: string;
  readonly #options: Directory;
  readonly #cacheControl: string;
  readonly #includes: (file: string) => boolean;
  /** By path below the directory; the first one is evicted first. */
  readonly #kept = new Map<string, StaticFile>();
  #keptBytes = 0;
  /** Undefined if any file may be asked for. */
  readonly #known: Set<string> | undefined;

  constructor(options: Directory) {
    const { prefix, maxAge = 0, cacheControl, filter = () => true, dynamic = true } = options;
    this.prefix = prefix;
    this.#options = options;
    this.#cacheControl = cacheControl ?? `public, max-age=${maxAge}`;
    this.#includes = Array.isArray(filter) ? (file) => filter.includes(file) : filter;
    if (!dynamic) this.#known = new Set(this.#list());
  }

  /** @returns undefined if there is no such file; at once if it is in memory */
  find(relative: string): StaticFile | undefined | Promise<StaticFile | undefined> {
    const kept = this.#kept.get(relative);
    if (kept !== undefined) return kept;
    const file = pathIn(relative);
    if (file === undefined || !this.#isKnown(file)) return undefined;
    return this.#kept.get(file) ?? this.#read(file);
  }

  /** Reads all files into memory. */
  async preload(): Promise<void> {
    for (const file of this.#list()) if (pathIn(file) === file && this.#isKnown(file)) await this.#read(file);
  }

  #list(): string[] {
    try {
      const entries = readdirSync(this.#options.dir, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => !entry.isDirectory())
        .map((entry) => path.relative(this.#options.dir, path.join(entry.parentPath, entry.name)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  #isKnown(file: string): boolean {
    return (this.#known === undefined || this.#known.has(file)) && this.#includes(file);
  }

  async #read(name: string): Promise<StaticFile | undefined> {
    const { dir, buffer, gzip: isCompressed, precompressed = true } = this.#options;
    const file = path.join(dir, name);
    const stats = await statOf(file);
    if (!stats) return undefined;
    const found: StaticFile = {
      content: await contentOf(file, stats, buffer),
      encoded: {},
      type: typeOf(file),
      etag: `"${stats.size.toString(16)}-${Math.floor(stats.mtimeMs).toString(16)}"`,
      lastModified: stats.mtime.toUTCString(),
      cacheControl: this.#cacheControl,
    };
    if (precompressed) {
      for (const [encoding, extension] of Object.entries(ENCODINGS) as [Encoding, string][]) {
        const beside = await statOf(file + extension);
        // One that is older than the file is what the file was.
        if (beside && beside.mtimeMs >= stats.mtimeMs) {
          found.encoded[encoding] = await contentOf(file + extension, beside, buffer);
        }
      }
    }
    const { bytes } = found.content;
    if (isCompressed && bytes && !found.encoded.gzip && COMPRESSIBLE.test(found.type)) {
      const compressed = await compress(bytes);
      found.encoded.gzip = { file, size: compressed.length, bytes: compressed };
    }
    if (buffer && bytes) this.#keep(name, found);
    return found;
  }

  #keep(name: string, file: StaticFile): void {
    const { maxFiles = 1000 } = this.#options;
    this.#kept.set(name, file);
    this.#keptBytes += bytesOf(file);
    for (const [oldest, evicted] of this.#kept) {
      if (this.#kept.size <= maxFiles && this.#keptBytes <= MAX_BYTES) return;
      this.#kept.delete(oldest);
      this.#keptBytes -= bytesOf(evicted);
    }
  }
}

function bytesOf({ content, encoded }: StaticFile): number {
  return [content, ...Object.values(encoded)].reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0);
}

/** @returns undefined if it is no file that can be read */
async function statOf(file: string): Promise<Stats | undefined> {
  try {
    const stats = await stat(file);
    return stats.isFile() ? stats : undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG' || code === 'ELOOP') return undefined;
    throw error;
  }
}

async function contentOf(file: string, { size }: Stats, buffer: boolean | undefined): Promise<Content> {
  const bytes = buffer && size <= SMALL ? await readFile(file) : undefined;
  return { file, size: bytes?.length ?? size, bytes };
}

function typeOf(file: string): string {
  const { contentType } = require('mime-types') as { contentType(name: string): string | false };
  return contentType(path.basename(file)) || 'application/octet-stream';
}
