import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ClutchError } from '../../../errors.js';
import { readPackage } from '../../../resolve/package.js';
import { defineCommand } from '../../command.js';
import { KINDS, type Kind, type Language, sourcesOf } from '../../generate/sources.js';
import { usageError } from '../../usage_error.js';

const NAME = /^[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*(?:\/[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*)*$/;

export const command = defineCommand({
  description: 'In TypeScript or JavaScript, as the app is. A file that exists is never overwritten.',
  arguments: [
    { name: 'kind', help: 'what is made', choices: KINDS },
    { name: 'name', help: 'of the file, with folders if it has some, e.g. admin/user' },
  ],
  examples: {
    'generate controller user': 'app/controller/user.ts',
    'generate service shop/cart': 'app/service/shop/cart.ts, ctx.service.shop.cart',
    'generate job email/welcome': 'app/job/email/welcome.ts, ctx.jobs.email.welcome, with plugin `jobs`',
    'generate schedule clean_up': 'app/schedule/clean_up.ts',
  },
  async run({ directory, args: [kind, name = ''] }) {
    if (!NAME.test(name)) {
      throw usageError(`"${name}" is no name of a file: give small letters, digits and _, with / for folders`);
    }
    const files = sourcesOf(kind as Kind, name, languageOf(directory));
    const taken = Object.keys(files).find((file) => existsSync(path.join(directory, file)));
    if (taken !== undefined) {
      throw new ClutchError('ERR_CLUTCH_CLI', `${taken} exists already`, { fix: 'Nothing was written.' });
    }
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(directory, file)), { recursive: true });
      writeFileSync(path.join(directory, file), text, { flag: 'wx' });
    }
    return { files: Object.keys(files) };
  },
  print: ({ files }) => files.map((file) => `made ${file}`).join('\n'),
});

/** @throws {ClutchError} ERR_CLUTCH_PACKAGE when there is no app */
function languageOf(directory: string): Language {
  const { type } = readPackage(directory);
  if (existsSync(path.join(directory, 'tsconfig.json'))) return 'ts';
  return type === 'module' ? 'esm' : 'cjs';
}
