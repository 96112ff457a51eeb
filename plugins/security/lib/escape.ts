const HTML: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Escapes a text for HTML, between tags and in a quoted attribute. */
export function escapeHtml(text: unknown): string {
  return String(text).replace(/[&<>"']/g, (character) => HTML[character] as string);
}

/** Escapes a text for a string of JavaScript: all of ASCII but letters and digits, and what ends a line. */
export function escapeScript(text: unknown): string {
  return String(text).replace(/[\u2028\u2029]|[^a-zA-Z0-9\u0080-\uffff]/g, (character) => {
    if (character === '\n') return '\\n';
    if (character === '\r') return '\\r';
    const code = character.charCodeAt(0);
    return code > 0xff ? `\\u${code.toString(16)}` : `\\x${code.toString(16).padStart(2, '0')}`;
  });
}

/** @returns JSON that can stand in a script element: whoever parses it gets the values unchanged */
export function scriptJson(value: unknown): string {
  const json = JSON.stringify(value) ?? 'null';
  return json.replace(/[<>&'\u2028\u2029/]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

const PROTOCOLS = ['http', 'https', 'file', 'data'];

/** @returns a URL for an attribute; empty if its protocol is not allowed */
export function safeUrl(url: unknown, protocols: readonly string[]): unknown {
  if (typeof url !== 'string') return url;
  const [, protocol] = /^([^/]*?):\/\//.exec(url) ?? [];
  const isAllowed =
    protocol === undefined ? !/^[^/?#]*:/.test(url) : [...PROTOCOLS, ...protocols].includes(protocol.toLowerCase());
  return isAllowed ? escapeHtml(url) : '';
}

/** @returns a path below a directory of the app's choice; null if it leads out of it */
export function safePath(given: unknown): unknown {
  if (typeof given !== 'string') return given;
  let decoded = given;
  for (let round = 0; round < 3 && decoded.includes('%'); round += 1) {
    try {
      decoded = decodeURIComponent(decoded);
    } catch {
      // Nothing encoded: it is the name of a file.
      break;
    }
  }
  return /\.\.|^[\\/]|\0/.test(decoded) ? null : given;
}

/** Removes what a shell could take for more than a part of a word. */
export function filterArgument(argument: unknown): string {
  return String(argument).replace(/[^a-zA-Z0-9._-]/g, '');
}

/** Quotes a text as one argument of a POSIX shell. */
export function quoteArgument(argument: unknown): string {
  return `'${String(argument).replaceAll('\0', '').replaceAll("'", "'\\''")}'`;
}

/** Removes the characters of a command line that mean something to a shell. */
export function filterCommand(command: unknown): string {
  return String(command).replace(/[#&;`|*?~<>^()[\]{}$'",\n\r\\\0\xff]/g, '');
}
