import path from 'node:path';
import { ClutchError } from '../../../errors.js';
import { byteSize, compilePathMatch } from '../../../framework/index.js';
import type { MultipartConfig, MultipartLimits } from './types.js';

const EXTENSIONS = [
  ...['.jpg', '.jpeg', '.png', '.gif', '.bmp', '.wbmp', '.webp', '.tif', '.psd'],
  ...['.svg', '.js', '.jsx', '.json', '.css', '.less', '.html', '.htm', '.xml'],
  ...['.zip', '.gz', '.tgz', '.gzip'],
  ...['.mp3', '.mp4', '.avi'],
];

/** @throws {ClutchError} ERR_CLUTCH_CONFIG, ERR_CLUTCH_MIDDLEWARE */
export function checkConfig(config: MultipartConfig): void {
  if (config.mode !== 'stream' && config.mode !== 'file') {
    throw new ClutchError('ERR_CLUTCH_CONFIG', `mode is ${JSON.stringify(config.mode)}`, {
      where: 'config.multipart.mode',
      fix: "Give 'stream' or 'file'.",
    });
  }
  if (config.mode === 'file' && config.fileModeMatch) {
    throw new ClutchError('ERR_CLUTCH_CONFIG', '`fileModeMatch` options only work on stream mode', {
      where: 'config.multipart.fileModeMatch',
      fix: 'Remove it, or set mode to stream.',
    });
  }
  limitsOf(config, {});
  isAllowed(config, 'a.txt');
  fileModePredicate(config);
}

/** @returns which requests have their files saved; undefined for none of them */
export function fileModePredicate({
  mode,
  fileModeMatch: match,
}: MultipartConfig): ((ctx: { path: string }) => boolean) | undefined {
  if (mode === 'file') return () => true;
  return match ? compilePathMatch({ match }, 'multipart.fileModeMatch') : undefined;
}

/** Limits in numbers: those of a call win over the config. */
export function limitsOf(
  config: MultipartConfig,
  given: MultipartLimits,
): Required<Record<keyof MultipartLimits, number>> {
  const size = (key: 'fieldSize' | 'fileSize'): number =>
    byteSize(given[key] ?? config[key], `config.multipart.${key}`);
  const count = (key: 'fieldNameSize' | 'fields' | 'files'): number => given[key] ?? config[key];
  const [fields, files] = [count('fields'), count('files')];
  return {
    fieldNameSize: count('fieldNameSize'),
    fieldSize: size('fieldSize'),
    fields,
    fileSize: size('fileSize'),
    files,
    // Parts that are neither count, too: a request must not go on for ever.
    parts: given.parts ?? fields + files + 100,
  };
}

/** Whether a file with this name may be uploaded. */
export function isAllowed({ whitelist, fileExtensions }: MultipartConfig, filename: string): boolean {
  if (typeof whitelist === 'function') return Boolean(whitelist(filename));
  const allowed = Array.isArray(whitelist) ? whitelist : [...EXTENSIONS, ...fileExtensions];
  const extension = path.extname(filename).toLowerCase();
  return allowed.some((each) => withDot(each) === extension);
}

function withDot(extension: string): string {
  const lower = extension.toLowerCase();
  return lower === '' || lower.startsWith('.') ? lower : `.${lower}`;
}
