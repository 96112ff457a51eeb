/** What the value of a secret is replaced by in texts. */
const HIDDEN = '***';

/**
 * A value that is redacted wherever it is printed: by `console.log`, in JSON, in template strings, logs and dumps.
 * Made by `secret(value)`; `reveal()` gives the value back.
 */
export class Secret<T = string> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** @returns the value itself: call it where the value is used, not where it is passed around */
  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return '<Secret>';
  }

  toJSON(): string {
    return '<Secret>';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '<Secret>';
  }
}

/** Wraps a config value, or any other, so that it cannot be printed by accident. */
export function secret<T>(value: T): Secret<T> {
  return new Secret(value);
}

/** @returns what a `Secret` holds; any other value as it is */
export function reveal<T>(value: T | Secret<T>): T {
  return value instanceof Secret ? value.reveal() : value;
}

/** Names and patterns of keys, as `config.dump.ignore` lists them. */
export type SecretKeys = Iterable<string | RegExp>;

const words = (text: string): Set<string> => new Set(text.split(' '));

/** A key with one of these words is secret. */
const SECRET_WORDS = words(
  'passd passwd password passwords passphrase passcode secret secrets token tokens credential credentials creds authorization bearer salt signature sig hmac sas otp pin ak sk',
);
/** The same inside of a word, for keys without a separator such as `dbpassword` and `authtoken`. */
const SECRET_PART =
  /secret(?!ar)|passw(?:or)?d|passphrase|credential|(?:access|api|auth|private|secret|master)keys?$|.tokens?$/;
/** Secret as the last word only: `db_pass`, but not `passThrough`. */
const SECRET_LAST = words('pass pwd pw');
/** Secret when they hold a text: `cookie: 'sid=…'`, but not `cookie: { httpOnly: true }`. */
const SECRET_TEXT = words('auth cookie cookies csrf xsrf');
/** `…Key` is secret unless one of these stands before it. */
const HARMLESS_KEYS = words(
  'primary foreign public sort partition cache unique index map row lookup group routing hot shortcut object query field column message locale data item idempotency i18n',
);
/** What may follow `…Key` in the name of a secret. */
const KEY_ENDINGS = words('id pem base64 hex value data string text raw plain');
/** A key that ends so describes a secret and does not hold it: `tokenName`, `passwordField`, `secretPath`. */
const HARMLESS_ENDINGS = words(
  'name names field fields header headers param params type types length size count limit min max ttl age expiry expires expiration timeout interval path file filename dir url uri endpoint host port policy rule rules pattern regex format prefix algorithm alg encoding rounds iterations enabled enable required optional supported error message label placeholder hint issuer audience scope scopes version status store cache provider parser validator generator factory handler rotation strength option options config settings',
);
/** A key that begins so counts or switches something: `maxTokens`, `requirePassword`. */
const HARMLESS_BEGINNINGS = words(
  'max min num total prompt completion has is require requires allow enable disable show hide',
);

type Secrecy = 'none' | 'text' | 'all';

/** A separator, or what begins one of the shapes; a text without is shown as it is. */
const CLUE = /[=:]|-----B|eyJ|[bB]earer|[bB]asic|BEARER|BASIC/;
/** A character that is in each clue; most lines of a log hold none, and this is found out in half the time of `CLUE`. */
const RARE = /[=:J]|[bB](?:[aeAE]|$)/;

/** @returns true if no text that it is a part of holds a secret because of it */
export function isHarmless(text: string): boolean {
  return !RARE.test(text);
}

/** Logs repeat themselves: the last text without a clue is not looked at again. */
let lastHarmless = '';

function mayHoldSecret(text: string): boolean {
  if (text === lastHarmless) return false;
  if (RARE.test(text) && CLUE.test(text)) return true;
  lastHarmless = text;
  return false;
}

function secrecyOf(key: string): Secrecy {
  // The shell's working directory.
  if (key === 'PWD' || key === 'OLDPWD') return 'none';
  const parts = key
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .map((part) => part.replace(/(?<=[a-z]{3})\d+$/, ''))
    .filter((part) => part !== '');
  while (parts.length > 1 && /^v?\d+$/.test(parts.at(-1) as string)) parts.pop();
  const last = parts.at(-1);
  if (last === undefined || HARMLESS_ENDINGS.has(last) || HARMLESS_BEGINNINGS.has(parts[0] as string)) return 'none';
  if (parts.some((part, index) => isSecretWord(part, index, parts)) || SECRET_LAST.has(last)) return 'all';
  return SECRET_TEXT.has(last) ? 'text' : 'none';
}

function isSecretWord(part: string, index: number, parts: readonly string[]): boolean {
  if (SECRET_WORDS.has(part) || SECRET_PART.test(part)) return true;
  if (part !== 'key' && part !== 'keys') return false;
  // `key` alone is a name or a place; `keys` alone signs cookies.
  if (index === 0) return part === 'keys' && parts.length === 1;
  const next = parts[index + 1];
  return !HARMLESS_KEYS.has(parts[index - 1] as string) && (next === undefined || KEY_ENDINGS.has(next));
}

/** Keys of which the secrecy is remembered; keys that come from requests must not fill the memory. */
const REMEMBERED = 5000;

const PEM = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?(?:-----END \1-----|$)/g;
const JWT = /\beyJ[\w-]{8,}(?:\.[\w-]*){2,4}/g;
const HTTP_SCHEME = /earer|asic|BEARER|BASIC/;
/** Not the words of a sentence, such as "Basic authentication". */
const HTTP_CREDENTIALS =
  /\b([Bb]earer|[Bb]asic|BEARER|BASIC)(\s+)(?=[\w.~+/=-]*[A-Z0-9_=+/-]|[a-z]{16})[\w.~+/=-]{6,}/g;
const URL_WITH_HOST = /([a-z][a-z0-9+.-]{0,30}:\/\/)([^\s"<>]+)/gi;
/** A user name of this length, without a password, is a token. */
const TOKEN_LENGTH = 20;

/** `user:password@host` without a scheme; not an address behind a label (`mailto:ada@host`) and no version (`npm:pkg@1.2.3`). */
const USER_AT_HOST =
  /(?<![\w.+-])(?!(?:mailto|e-?mail|mail|from|to|cc|bcc|user|owner|author|sender|recipient|contact|sip|sips|acct|xmpp|npm|workspace|git|github):)([\w.+-]{1,64}):[^\s:@/"'`<>(){}]{1,256}@(?=(?:[a-z][\w-]*|(?:\d{1,3}\.){3}\d{1,3}|\[)(?:[.:/\s,;)"'`\]]|$))/gi;

/** Characters of a URL that are shown. */
const LONGEST_URL = 2048;
const QUERY_VALUE = /([?&;]([^=&;]*)=)[^&;]+/g;

/** Characters of a key that are looked at. */
const LONGEST_KEY = 80;
/** From a separator to the value: the `>` of a Map's `=>`, blanks, and what names the kind of an object. */
const VALUE_BEGIN = /[=:]>?\s*(?:(?:[A-Z][\w$]*(?:\(\d+\))?|\[[A-Z][\w$]*: null prototype\]) (?=[[{]))?/y;
const QUOTED = /\\"(?:(?!\\")[\s\S])*(?:\\")?|"(?:[^"\\]|\\[\s\S])*"?|'(?:[^'\\]|\\[\s\S])*'?|`(?:[^`\\]|\\[\s\S])*`?/y;
/** Long texts are printed in parts: `'a' +\n  'b'`. */
const CONTINUED = /\s*\+\s*(?=["'`])/y;
const BARE = /[^\s&;,"'`<>(){}[\]\\]+/y;
const REST_OF_LINE = /[^\r\n"'`]+/y;
/** Keys after whose colon a text without quotes is hidden, too; others appear in sentences ("invalid token: expired"). */
const BARE_SECRET = /pass(?:w|phrase|code|$)|pwd|pw$|secret|credential|api[-_]?key|private[-_]?key/i;
const HEADER_SECRET = /^(?:proxy-)?authorization$|^(?:set-)?cookie$/i;
const LINE_WITH_SECRET = /^.*\*\*\*.*$/gm;
const LOOKS_RANDOM = /^(?=.*\d)[\w.~+/=-]{16,}$/;

/** Finds secrets by the key that they stand at and by their shape. */
export class Masker {
  readonly #extra: readonly (string | RegExp)[];
  readonly #paths: ReadonlySet<string>;
  readonly #byName = new Map<string, Secrecy>();
  /** The last URL, and how it was shown: the lines of a request follow each other. */
  #url = '';
  #shownUrl = '';

  /**
   * @param extra keys that are secret besides those that are by their words
   * @param paths dotted paths whose values are only described, as `config.dump.ignoreKeyPaths` names them
   */
  constructor(extra: SecretKeys = [], paths: Iterable<string> = []) {
    this.#paths = new Set(paths);
    this.#extra = [...extra].map((each) =>
      typeof each === 'string' ? each : new RegExp(each.source, each.flags.replace(/[gy]/g, '')),
    );
  }

  /** @returns whether a value at `key` is hidden */
  hides(key: string, value: unknown): boolean {
    if (typeof value === 'boolean') return this.#listed(key);
    const secrecy = this.#secrecy(key);
    return secrecy === 'all' || (secrecy === 'text' && (typeof value === 'string' || Array.isArray(value)));
  }

  /** @returns whether all of what is at a dotted path is hidden */
  hidesPath(path: string): boolean {
    return this.#paths.has(path);
  }

  #listed(key: string): boolean {
    return this.#extra.some((each) => (typeof each === 'string' ? each === key : each.test(key)));
  }

  #secrecy(key: string): Secrecy {
    const known = this.#byName.get(key);
    if (known !== undefined) return known;
    const secrecy = this.#listed(key) ? 'all' : secrecyOf(key);
    if (this.#byName.size >= REMEMBERED) this.#byName.clear();
    this.#byName.set(key, secrecy);
    return secrecy;
  }

  /** @returns the text with the secrets in it replaced: passwords in URLs, PEM blocks, tokens, values of secret keys */
  maskText(text: string): string {
    if (!mayHoldSecret(text)) return text;
    let masked = text;
    if (masked.includes('-----BEGIN')) masked = masked.replace(PEM, '<PEM $1>');
    if (masked.includes('eyJ')) masked = masked.replace(JWT, '<JWT>');
    if (HTTP_SCHEME.test(masked)) masked = masked.replace(HTTP_CREDENTIALS, `$1$2${HIDDEN}`);
    if (masked.includes('://')) masked = masked.replace(URL_WITH_HOST, (_all, scheme, rest) => scheme + maskUser(rest));
    if (masked.includes('@')) masked = masked.replace(USER_AT_HOST, `$1:${HIDDEN}@`);
    const withValues = this.#maskValues(masked, false);
    if (withValues === masked) return masked;
    // Beside one secret, `token: B` is an assignment and not part of a sentence.
    return withValues.replace(LINE_WITH_SECRET, (line) => this.#maskValues(line, true));
  }

  /** @returns the URL of a request, shortened, with secrets replaced, also those at encoded and nested keys (`a%5Btoken%5D=`) */
  maskUrl(url: string): string {
    if (url === this.#url) return this.#shownUrl;
    this.#url = url;
    this.#shownUrl = this.#withoutSecrets(url);
    return this.#shownUrl;
  }

  #withoutSecrets(url: string): string {
    const shown = url.length > LONGEST_URL ? `${url.slice(0, LONGEST_URL)}...` : url;
    if (!shown.includes('?')) return this.maskText(shown);
    return this.maskText(
      shown.replace(QUERY_VALUE, (all, begin: string, key: string) =>
        this.#isSecretParameter(key) ? begin + HIDDEN : all,
      ),
    );
  }

  #isSecretParameter(key: string): boolean {
    const name = key.replace(/%([0-7][0-9a-f])/gi, (_all, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    return name.split(/[[\].]+/).some((part) => this.#secrecy(part) !== 'none');
  }

  /**
   * Hides the values of secret keys in what looks like a query, JSON, an object that was printed, or a header.
   *
   * @param isList whether `key: value` is taken for an assignment whatever its value looks like
   */
  #maskValues(text: string, isList: boolean): string {
    let masked = '';
    let done = 0;
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (code !== EQUALS && code !== COLON) continue;
      const key = keyBefore(text, at, done);
      const secrecy = key === '' ? 'none' : this.#secrecy(key);
      if (secrecy === 'none') continue;
      const begin = matchAt(VALUE_BEGIN, text, at);
      const end = valueEnd(text, begin, key, { separator: text[at] as string, secrecy, isList });
      if (end <= begin) continue;
      const quote = /^\\?["'`]/.exec(text.slice(begin, begin + 2))?.[0] ?? (text[at - 1] === '"' ? '"' : '');
      masked += text.slice(done, begin) + quote + HIDDEN + quote;
      done = end;
      at = end - 1;
    }
    return done === 0 ? text : masked + text.slice(done);
  }
}

const EQUALS = 0x3d;
const COLON = 0x3a;

/** Letters, digits and `$-._`: the characters of a key. */
const IN_KEY = Uint8Array.from({ length: 128 }, (_, code) => Number(/[\w$.-]/.test(String.fromCharCode(code))));

/**
 * Looks backwards, since a pattern would begin anew at each character.
 *
 * @param at where the separator stands
 * @param from where the text begins that the key may be in
 * @returns the key before the separator, with or without quotes, a bracket and a blank between; empty if there is none
 */
function keyBefore(text: string, at: number, from: number): string {
  let end = at;
  if (end > from && /\s/.test(text[end - 1] as string)) end -= 1;
  if (end > from && text[end - 1] === ']') end -= 1;
  if (end > from && isQuote(text.charCodeAt(end - 1))) end -= 1;
  if (end > from && text[end - 1] === '\\') end -= 1;
  const least = Math.max(from, end - LONGEST_KEY);
  let begin = end;
  while (begin > least && IN_KEY[text.charCodeAt(begin - 1)] === 1) begin -= 1;
  return text.slice(begin, end);
}

function isQuote(code: number): boolean {
  return code === 0x22 || code === 0x27 || code === 0x60;
}

/** @returns where the match of a sticky pattern ends; `at` when there is none */
function matchAt(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

interface Assignment {
  separator: string;
  secrecy: Secrecy;
  isList: boolean;
}

function valueEnd(text: string, begin: number, key: string, assignment: Assignment): number {
  const { separator, secrecy, isList } = assignment;
  const quoted = matchAt(QUOTED, text, begin);
  if (quoted > begin) {
    const next = matchAt(CONTINUED, text, quoted);
    return next > quoted ? valueEnd(text, next, key, assignment) : quoted;
  }
  const opening = text[begin] as string;
  if (opening === '[' || ((opening === '{' || opening === '<') && secrecy === 'all')) return bracketEnd(text, begin);
  if (separator === '=') return matchAt(BARE, text, begin);
  if (HEADER_SECRET.test(key)) return matchAt(REST_OF_LINE, text, begin);
  const bare = matchAt(BARE, text, begin);
  return isList || BARE_SECRET.test(key) || LOOKS_RANDOM.test(text.slice(begin, bare)) ? bare : begin;
}

const CLOSING: Record<string, string> = { '[': ']', '{': '}', '<': '>' };

/** @returns where the brackets that open at `begin` are closed again, brackets in quotes left aside */
function bracketEnd(text: string, begin: number): number {
  const open: string[] = [];
  for (let at = begin; at < text.length; at += 1) {
    const char = text[at] as string;
    if (char === '"' || char === "'" || char === '`') at = matchAt(QUOTED, text, at) - 1;
    else if (CLOSING[char]) open.push(CLOSING[char] as string);
    else if (char === open.at(-1)) open.pop();
    if (open.length === 0) return at + 1;
  }
  return text.length;
}

/** @param rest a URL behind its `//`; a password may hold `@`, and `/` where what follows the colon is no port */
function maskUser(rest: string): string {
  const end = rest.search(/[/?#]/);
  let at = (end < 0 ? rest : rest.slice(0, end)).lastIndexOf('@');
  if (at < 0 && end > 0 && /^[^[:/?#]*:(?!\d*[/?#])/.test(rest)) at = rest.lastIndexOf('@');
  if (at < 0) return rest;
  const colon = rest.indexOf(':');
  if (colon >= 0 && colon < at) return `${rest.slice(0, colon)}:${HIDDEN}${rest.slice(at)}`;
  return at < TOKEN_LENGTH ? rest : HIDDEN + rest.slice(at);
}

const masker = new Masker();

/** Hides secrets in a text for which no config is known: what the Master and the commands print. */
export function maskText(text: string): string {
  return masker.maskText(text);
}
