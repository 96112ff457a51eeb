import { fileURLToPath } from 'node:url';

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url)).replaceAll('\\', '/');
/** With source maps on, a frame shows the file in its room, not the one in dist/. */
const OWN =
  /^(?:dist|output|ipc|resolve|core|loader|leader|framework|plugins|cluster|cli|mock)\/|^(?:errors|index)\.ts/;
const FRAME = /^\s+at (?:(.*?) \()?((?:file:\/\/)?[^\s()]+):(\d+):(\d+)\)?$/;
/** A frame of V8's own, such as `at new Promise (<anonymous>)`. */
const PLACELESS = /^\s+at .*\((?:<anonymous>|index \d+)\)$/;

export interface Frame {
  /** Name of the function; undefined at the top level of a module. */
  name: string | undefined;
  file: string;
  line: number;
  column: number;
  /** Whose code it is: a plugin's is a package's when it is installed. */
  owner: 'app' | 'package' | 'clutch' | 'node';
}

/** @returns the frames of a stack, innermost first; lines that name no file are left out */
export function parseFrames(stack: string): Frame[] {
  return stack.split('\n').flatMap((text) => {
    const [, name, location, line, column] = FRAME.exec(text) ?? [];
    if (location === undefined) return [];
    const file = location.startsWith('file://') ? fileURLToPath(location) : location;
    const isNamed = name !== undefined && !/^(?:Object\.)?<anonymous>$/.test(name);
    return [
      { name: isNamed ? name : undefined, file, line: Number(line), column: Number(column), owner: ownerOf(file) },
    ];
  });
}

/** @returns a text without the stack frames of Clutch and of Node, where a frame of the app or its packages is left to show */
export function withoutOwnFrames(text: string): string {
  if (parseFrames(text).every(({ owner }) => !isOfUser(owner))) return text;
  const isShown = (line: string): boolean => {
    const [frame] = parseFrames(line);
    return frame ? isOfUser(frame.owner) : !PLACELESS.test(line);
  };
  return text.split('\n').filter(isShown).join('\n');
}

function isOfUser(owner: Frame['owner']): boolean {
  return owner === 'app' || owner === 'package';
}

function ownerOf(location: string): Frame['owner'] {
  const file = location.replaceAll('\\', '/');
  if (file.startsWith('node:') || !/^(?:\/|\w:\/)/.test(file)) return 'node';
  if (file.startsWith(PACKAGE) && OWN.test(file.slice(PACKAGE.length))) return 'clutch';
  return file.includes('/node_modules/') ? 'package' : 'app';
}
