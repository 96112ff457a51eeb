import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { nameOwnFrames } from '../../output/own_frames.js';
import { packageRoot } from '../package_root.js';

/**
 * @param baseDir of the app
 * @returns how a frame of a profile is shown: files of the app relative to it, those of Clutch by their sources; undefined for Node's own
 */
export function frameDescriber(baseDir: string) {
  const own = `${packageRoot()}${path.sep}`;
  return ({
    functionName,
    url,
    lineNumber,
    columnNumber,
  }: {
    functionName: string;
    url: string;
    lineNumber: number;
    columnNumber: number;
  }): { text: string; isOfApp: boolean } | undefined => {
    if (url === '' || url.startsWith('node:')) return undefined;
    const file = url.startsWith('file:') ? fileURLToPath(url) : url;
    const name = functionName || '(anonymous)';
    const position = `${file}:${lineNumber + 1}:${columnNumber + 1}`;
    if (file.startsWith(own) && !file.includes(`${path.sep}node_modules${path.sep}`, own.length - 1)) {
      const source = nameOwnFrames(position);
      return {
        text: `at ${name} (koa-clutch/${source.startsWith(own) ? source.slice(own.length) : source})`,
        isOfApp: false,
      };
    }
    const isOfApp = file.startsWith(`${baseDir}${path.sep}`) && !file.includes(`${path.sep}node_modules${path.sep}`);
    return { text: `at ${name} (${isOfApp ? path.relative(baseDir, position) : position})`, isOfApp };
  };
}
