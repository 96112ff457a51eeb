import { parseFrames } from '../output/frames.js';

/** @returns `file:line:column` of the innermost caller that is neither part of this package nor of Node */
export function userFrame(): string | undefined {
  const frame = parseFrames(new Error().stack ?? '').find(({ owner }) => owner === 'app' || owner === 'package');
  return frame && `${frame.file}:${frame.line}:${frame.column}`;
}
