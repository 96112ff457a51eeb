/** `config.development`; paths are relative to the app. */
export interface DevelopmentConfig {
  /** Files and directories that are watched besides the usual ones. */
  watchDirs: string[];
  /** What is left out besides views and assets; everything that begins so. */
  ignoreDirs: string[];
  /** Whether an app is ready before its hooks have ended. */
  fastReady: boolean;
  /** False turns reloading off. */
  reloadOnDebug: boolean;
  /** Whether `watchDirs` are watched instead of the usual ones. */
  overrideDefault: boolean;
  /** Whether `ignoreDirs` are left out instead of the usual ones. */
  overrideIgnore: boolean;
  /** Globs of files that count; one that begins with `!` takes files out again. Default all. */
  reloadPattern: string | string[] | undefined;
}

declare module '../../../core/types.js' {
  interface KnownConfig {
    development?: DevelopmentConfig;
  }
}
