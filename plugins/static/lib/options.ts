/** What may differ between directories. */
export interface StaticDirectory {
  dir: string;
  /** What URLs start with; default `/public/`. */
  prefix?: string;
  /** Seconds that clients may keep a file; default a year in `prod`, else 0. */
  maxAge?: number;
  /** `cache-control` in place of `public, max-age=…`. */
  cacheControl?: string;
  /** Keeps files up to 1 MiB in memory from their first use until the process ends; default true in `prod`. */
  buffer?: boolean;
  /** Finds files when they are asked for; default true. */
  dynamic?: boolean;
  /** Finds all files at the first request; default false. With `dynamic: false` there are no others. */
  preload?: boolean;
  /** How many files are kept in memory; default 1000. */
  maxFiles?: number;
  /** Which files there are, by their path below `dir`. */
  filter?: string[] | ((file: string) => boolean);
  /** Compresses files that are kept in memory; default false. */
  gzip?: boolean;
  /** Takes `file.br` or `file.gz` beside a file for clients that accept it; default true. */
  precompressed?: boolean;
  /** Other names of files: the path of a request to that of a file. */
  alias?: Record<string, string>;
}

/** `config.static`. */
export interface StaticConfig extends Omit<StaticDirectory, 'dir'> {
  /** One directory, or several of which the first that has a file is taken. */
  dir?: string | (string | StaticDirectory)[];
}

/** @returns one entry for each directory, with a prefix that starts and ends with a slash */
export function directoriesOf({ dir = [], ...shared }: StaticConfig): (StaticDirectory & { prefix: string })[] {
  return [dir].flat().map((entry) => {
    const directory = { ...shared, ...(typeof entry === 'string' ? { dir: entry } : entry) };
    return { ...directory, prefix: `/${directory.prefix ?? '/public/'}/`.replace(/\/{2,}/g, '/') };
  });
}
