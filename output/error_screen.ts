import { codeFrame, displayPath, displayPosition, type Position } from './code_frame.js';
import { type Frame, parseFrames } from './frames.js';
import { nameOwnFrames } from './own_frames.js';
import { missingImportPosition, syntaxPosition } from './syntax_position.js';

/** Frames of the app that are shown below the first one. */
const MORE_FRAMES = 3;
/** Causes that are followed, and inner errors that are named. */
const MAX_CAUSES = 5;
const MAX_INNER = 3;

/** A stack is for those who ask: `--stack`, `DEBUG=clutch`, `DEBUG=*` or `NODE_DEBUG=clutch:…`. */
export function wantsStack(env: NodeJS.ProcessEnv = process.env): boolean {
  return (
    env['CLUTCH_STACK'] === '1' || /(?:^|,)(?:clutch\b|\*)/.test(`${env['DEBUG'] ?? ''},${env['NODE_DEBUG'] ?? ''}`)
  );
}

/**
 * Writes an error as what is wrong, where, and what to do: the message, `file:line:column` in the app, that line with a caret,
 * further frames of the app, and how to fix it. Frames of Clutch and of Node are left out.
 */
export function errorScreen(error: Error): string {
  const chain = causesOf(error);
  const root = chain.at(-1) as Error;
  const [first = '', ...details] = shortened(headline(error)).split('\n');
  const importPosition = missingImportPosition(root);
  const position = importPosition ?? positionOf(root, loadedFile(chain)) ?? namedPosition(error);
  // Those of what loads modules say nothing.
  const frames =
    importPosition || isSyntaxError(root) ? [] : appFrames(root).filter((frame) => position && !isAt(frame, position));
  return [
    first,
    ...(position ? [`  ${displayPosition(position)}`, ...codeFrame(position).map((line) => `  ${line}`)] : []),
    ...frames
      .slice(0, MORE_FRAMES)
      .map((frame) => `    at ${frame.name ? `${frame.name} ` : ''}(${displayPosition(frame)})`),
    ...details.filter((line) => line.trim() !== '' && line.trim() !== (position && displayPosition(position))),
    ...chain
      .slice(1)
      .filter((cause) => !mentions(error, cause))
      .map((cause) => `  caused by ${headline(cause).split('\n')[0]}`),
    ...innerErrors(root),
  ].join('\n');
}

/** How esbuild begins; the place follows, which is shown in full. */
const TRANSFORM = /Transform failed with \d+ errors?:\n\S+:\d+:\d+: ERROR: /;

/** Of a module that is not found; its place is shown, and who has loaded that file is in the stack. */
const REQUIRE_STACK = /\nRequire stack:(?:\n- .*)*/;

function causesOf(error: Error): Error[] {
  const chain = [error];
  for (let { cause } = error; cause instanceof Error && !chain.includes(cause) && chain.length < MAX_CAUSES; ) {
    chain.push(cause);
    ({ cause } = cause);
  }
  return chain;
}

/** A message of Clutch begins with its code; others say what kind of error they are. */
function headline({ name, message }: Error): string {
  const text = message.replace(TRANSFORM, '').replace(REQUIRE_STACK, '');
  if (text.startsWith('ERR_CLUTCH_')) return text;
  if (text === '') return name;
  return name === 'Error' ? text : `${name}: ${text}`;
}

/** Paths below the current directory are written as one would type them. */
function shortened(text: string): string {
  return text.replace(/(?:file:\/\/)?\/[^\s"'`:,()]+/g, (file) => displayPath(file.replace(/^file:\/\//, '')));
}

/** The file that could not be loaded, if the error is about one. */
function loadedFile(chain: Error[]): string | undefined {
  for (const { message } of chain) {
    const [, file] = /^ERR_CLUTCH_MODULE: load file: (.+?), error: /.exec(message) ?? [];
    if (file !== undefined) return file;
  }
  return undefined;
}

function positionOf(error: Error, file: string | undefined): Position | undefined {
  return (isSyntaxError(error) ? syntaxPosition(error, file) : undefined) ?? appFrames(error)[0];
}

/** Of an error that names a place and was thrown elsewhere, such as one about a hook that does not end. */
function namedPosition({ message }: Error): Position | undefined {
  const [, file, line, column] = / at (\/[^\n]*?|[a-zA-Z]:[\\/][^\n]*?):(\d+):(\d+)$/m.exec(message) ?? [];
  return file === undefined ? undefined : { file, line: Number(line), column: Number(column) };
}

/** Loaders of TypeScript have errors of their own. */
function isSyntaxError({ name, message }: Error): boolean {
  return name === 'SyntaxError' || TRANSFORM.test(message);
}

/** Of an app, or where none of its functions is on the stack, of the packages that it uses. */
function appFrames(error: Error): Frame[] {
  const frames = parseFrames(nameOwnFrames(error.stack ?? ''));
  const ofApp = frames.filter(({ owner }) => owner === 'app');
  return ofApp.length > 0 ? ofApp : frames.filter(({ owner }) => owner === 'package').slice(0, 1);
}

function isAt(frame: Position, { file, line }: Position): boolean {
  return frame.file === file && frame.line === line;
}

/** Whether the message of an error has all that its cause could say. */
function mentions({ message }: Error, cause: Error & { code?: unknown }): boolean {
  return message.includes(cause.message) || (typeof cause.code === 'string' && message.includes(cause.code));
}

function innerErrors(error: Error & { errors?: unknown }): string[] {
  if (!Array.isArray(error.errors)) return [];
  const inner = error.errors.filter((each) => each instanceof Error) as Error[];
  return inner.slice(0, MAX_INNER).map((each) => `  - ${headline(each).split('\n')[0]}`);
}
