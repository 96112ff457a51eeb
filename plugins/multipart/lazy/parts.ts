import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import { Readable, type Writable } from 'node:stream';
import type { Context } from '../../../core/index.js';
import { refusal, toError } from '../../../errors.js';
import { MultipartError, reached } from '../lib/multipart_error.js';
import { isAllowed, limitsOf } from '../lib/options.js';
import type { FieldPart, FilePart, MultipartConfig, MultipartOptions, Parts } from '../lib/types.js';

/** What is used of @fastify/busboy: its own types add events to all of Node's streams. */
interface Busboy extends Writable {
  on(event: string, listener: (...args: never[]) => void): this;
  once(event: string, listener: (...args: never[]) => void): this;
}

interface BusboyOptions {
  headers: object;
  defCharset: string;
  limits: Record<string, number>;
}

const require = createRequire(import.meta.url);
const BusboyOf = require('@fastify/busboy') as new (options: BusboyOptions) => Busboy;

/** Bytes of the headers of a part. */
const HEADER_SIZE = 16 * 1024;
/** Bytes of a file that are read ahead. */
const FILE_BUFFER = 64 * 1024;

type Part = FieldPart | FilePart;

/** A file, as long as the parser reads it. Whoever destroys it skips the rest of the file. */
class FileStream extends Readable {
  readonly #source: Readable;
  truncated = false;
  fields = {};

  constructor(source: Readable) {
    super({ highWaterMark: FILE_BUFFER });
    this.#source = source;
    source.on('data', (chunk: Buffer) => {
      if (!this.destroyed && !this.push(chunk)) source.pause();
    });
    source.once('end', () => {
      if (!this.destroyed) this.push(null);
    });
    source.once('limit', () => {
      this.truncated = true;
      this.emit('limit');
    });
    source.on('error', (error) => this.destroy(toError(error)));
    // A file that fails before someone reads it must not end the process; who reads it later gets the error.
    this.on('error', () => undefined);
  }

  override _read(): void {
    this.#source.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#source.resume();
    callback(error);
  }
}

/** Reads one request; what a client sends wrong is a MultipartError, of whoever asks for the next part. */
class PartsReader {
  readonly #req: IncomingMessage;
  readonly #parser: Busboy;
  readonly #queue: Part[] = [];
  readonly #files = new Set<FileStream>();
  #waiting: { resolve(part: Part | undefined): void; reject(error: Error): void } | undefined;
  #state: 'reading' | 'ended' | 'failed' = 'reading';
  #error: Error | undefined;
  /** Bytes that the whole body may still have. */
  #bytesLeft: number;
  readonly field: Record<string, string> = {};
  readonly fields: FieldPart[] = [];

  constructor(ctx: Context, config: MultipartConfig, options: MultipartOptions) {
    this.#req = ctx.req;
    const limits = limitsOf(config, { ...options, ...options.limits });
    const { autoFields = config.autoFields, checkFile } = options;
    try {
      this.#parser = new BusboyOf({
        headers: ctx.req.headers,
        defCharset: options.defCharset ?? options.defaultCharset ?? config.defaultCharset,
        limits: { ...limits, headerPairs: 100, headerSize: HEADER_SIZE },
      });
    } catch (error) {
      throw new MultipartError('Request_malformed', toError(error).message, error);
    }
    const nameLimit = limits.fieldNameSize;
    this.#parser.on('field', (name: string | undefined, value: string, _cut: boolean, valueTruncated: boolean) => {
      // As in Egg: such a name would hide a method of the object that holds the fields.
      if (name === undefined || name in Object.prototype) return;
      const part: FieldPart = [name.slice(0, nameLimit), value, name.length > nameLimit, valueTruncated];
      if (!autoFields) this.#add(part);
      else if (part[2] || part[3]) this.#fail(reached(part[2] ? 'fieldNameSize' : 'fieldSize'));
      else {
        this.fields.push(part);
        this.field[part[0]] = value;
      }
    });
    this.#parser.on(
      'file',
      (name: string | undefined, source: Readable, filename: string, encoding: string, mime: string) => {
        const fieldname = name ?? '';
        const file = new FileStream(source);
        this.#files.add(file);
        file.once('close', () => this.#files.delete(file));
        file.once('limit', () => this.#fail(reached('fileSize')));
        if (fieldname.length > nameLimit) return this.#fail(reached('fieldNameSize'));
        if (filename) {
          const refused = checkFile
            ? checkFile(fieldname, file, filename, encoding, mime)
            : isAllowed(config, filename)
              ? undefined
              : badRequest(`Invalid filename: ${filename.slice(0, 100)}`);
          if (refused) return this.#fail(toError(refused));
        }
        const facts = { fieldname, filename, encoding, transferEncoding: encoding, mime, mimeType: mime };
        return this.#add(Object.assign(file, facts) as FilePart);
      },
    );
    this.#parser.once('partsLimit', () => this.#fail(reached('parts')));
    this.#parser.once('filesLimit', () => this.#fail(reached('files')));
    this.#parser.once('fieldsLimit', () => this.#fail(reached('fields')));
    this.#parser.once('finish', () => this.#end());
    this.#parser.on('error', (error: unknown) =>
      this.#fail(new MultipartError('Request_malformed', toError(error).message, error)),
    );
    // Headers that never end, and parts that are neither file nor field, count only here.
    const { fileSize, files, fieldSize, fields, parts } = limits;
    this.#bytesLeft = fileSize * files + fieldSize * fields + HEADER_SIZE * parts;
    this.#req.on('data', this.#onData);
    this.#req.once('close', this.#onClose);
    this.#req.on('error', this.#onClose);
    if (this.#req.destroyed || this.#req.readableEnded) this.#onClose();
    else this.#req.pipe(this.#parser);
    // A handler that leaves parts unread must not hold up the connection.
    ctx.res.once('close', () => this.#release(ctx.res.writableFinished));
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#bytesLeft -= chunk.length;
    if (this.#bytesLeft < 0) this.#fail(reached('size'));
  };

  readonly #onClose = (): void => {
    if (!this.#req.readableEnded) this.#fail(aborted());
  };

  next(): Promise<Part | undefined> {
    const part = this.#queue.shift();
    if (part) return Promise.resolve(part);
    if (this.#error) return Promise.reject(this.#error);
    if (this.#state === 'ended') return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  #add(part: Part): void {
    if (this.#state !== 'reading') return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting.resolve(part);
    else this.#queue.push(part);
  }

  #end(): void {
    if (this.#state !== 'reading') return;
    this.#state = 'ended';
    this.#waiting?.resolve(undefined);
  }

  #fail(error: Error): void {
    if (this.#state !== 'reading') return;
    this.#state = 'failed';
    this.#error = error;
    this.#queue.length = 0;
    this.#req.off('data', this.#onData).off('close', this.#onClose);
    this.#req.unpipe(this.#parser);
    this.#req.pause();
    for (const file of this.#files) file.destroy(error);
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  #release(hasResponse: boolean): void {
    this.#fail(hasResponse ? new MultipartError('Request_aborted', 'the response has been sent') : aborted());
    if (!this.#req.readableEnded && !this.#req.destroyed) this.#req.resume();
  }
}

function badRequest(message: string): Error {
  return refusal(Object.assign(new Error(message), { status: 400, expose: true }));
}

function aborted(): MultipartError {
  return new MultipartError('Request_aborted', 'the request was aborted');
}

/** @throws {MultipartError} if the request has no boundary or is no form */
export function readParts(ctx: Context, config: MultipartConfig, options: MultipartOptions): Parts {
  const reader = new PartsReader(ctx, config, options);
  async function* each(): AsyncGenerator<Part> {
    for (let part = await reader.next(); part !== undefined; part = await reader.next()) {
      if (Array.isArray(part)) {
        if (part[2]) throw reached('fieldNameSize');
        if (part[3]) throw reached('fieldSize');
        yield part;
      } else if (part.filename) yield part;
      // A form that was sent without a file chosen.
      else part.destroy();
    }
  }
  return Object.assign(() => reader.next(), {
    field: reader.field,
    fields: reader.fields,
    [Symbol.asyncIterator]: each,
  });
}

/** Reads up to the first file. */
export async function readFirstFile(parts: Parts, requireFile: boolean): Promise<FilePart> {
  let part = await parts();
  while (Array.isArray(part)) part = await parts();
  if (part?.filename || (part && !requireFile)) {
    part.fields = parts.field;
    return part;
  }
  part?.destroy();
  if (requireFile) throw badRequest("Can't found upload file");
  return Object.assign(Readable.from([]), { fields: parts.field }) as FilePart;
}
