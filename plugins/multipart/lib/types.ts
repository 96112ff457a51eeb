import type { Readable } from 'node:stream';
import type { PathMatchOptions } from '../../../framework/index.js';

/** `config.multipart`. Sizes are bytes, or texts such as `'10mb'`. */
export interface MultipartConfig {
  /** `stream`: `ctx.multipart()` reads the parts. `file`: files are saved before the middleware of the app runs. */
  mode: 'stream' | 'file';
  /** Requests of mode `stream` whose files are saved nevertheless: a path prefix, a RegExp, a function, or a list. */
  fileModeMatch?: PathMatchOptions['match'];
  /** Whether fields are gathered in `parts.field` instead of being parts. */
  autoFields: boolean;
  defaultCharset: string;
  /** Bytes of the name of a field. */
  fieldNameSize: number;
  /** Bytes of the value of a field. */
  fieldSize: number | string;
  /** Number of fields. */
  fields: number;
  /** Bytes of a file. */
  fileSize: number | string;
  /** Number of files. */
  files: number;
  /** Extensions that are allowed besides the usual ones. */
  fileExtensions: string[];
  /** Extensions that are allowed instead, or a function that decides by the file name. */
  whitelist: string[] | ((filename: string) => boolean) | null;
  /** Whether a field that comes twice is an array; else the last one counts. */
  allowArrayField: boolean;
  /** Where files are saved. */
  tmpdir: string;
  /** When files that were left behind are removed. */
  cleanSchedule: { cron: string; disable: boolean };
  /** Whether saved files are removed once the response has been sent. */
  autoCleanup: boolean;
}

export interface MultipartLimits {
  fieldNameSize?: number;
  fieldSize?: number | string;
  fields?: number;
  fileSize?: number | string;
  files?: number;
  parts?: number;
}

export interface MultipartOptions extends MultipartLimits {
  autoFields?: boolean;
  defaultCharset?: string;
  defCharset?: string;
  limits?: MultipartLimits;
  /** @returns an error for a file that is refused */
  checkFile?(fieldname: string, file: Readable, filename: string, encoding: string, mime: string): unknown;
}

/** Name, value, whether the name was cut off, whether the value was. */
export type FieldPart = [name: string, value: string, nameTruncated: boolean, valueTruncated: boolean];

export interface FilePart extends Readable {
  fieldname: string;
  filename: string;
  encoding: string;
  transferEncoding: string;
  mime: string;
  mimeType: string;
  /** Whether the file is larger than `fileSize`; the stream has failed then. */
  truncated: boolean;
  /** The fields before it; of `getFileStream`. */
  fields: Record<string, string>;
}

/** The parts of a request: call it for the next one, or loop over it with `for await`. */
export interface Parts extends AsyncIterable<FieldPart | FilePart> {
  (): Promise<FieldPart | FilePart | undefined>;
  /** Fields so far, with `autoFields`. */
  field: Record<string, string>;
  fields: FieldPart[];
}

/** A file that was saved. */
export interface SavedFile {
  field: string;
  filename: string;
  encoding: string;
  mime: string;
  /** Where it is. */
  filepath: string;
  fieldname: string;
  transferEncoding: string;
  mimeType: string;
}

declare module '../../../core/types.js' {
  interface KnownConfig {
    multipart?: MultipartConfig;
  }

  interface ContextExtension {
    /** Reads the parts of a multipart request. */
    multipart(options?: MultipartOptions): Parts;
    /** Reads up to the first file, whose `fields` hold the fields before it. */
    getFileStream(options?: MultipartOptions & { requireFile?: boolean }): Promise<FilePart>;
    /** Saves all files: they are in `ctx.request.files` then, and fields in `ctx.request.body`. */
    saveRequestFiles(options?: MultipartOptions): Promise<void>;
    /** Removes saved files. */
    cleanupRequestFiles(files?: Pick<SavedFile, 'filepath'>[]): Promise<void>;
  }
}

declare module 'koa' {
  interface Request {
    files?: SavedFile[];
  }
}
