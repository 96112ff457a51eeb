import { styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];

/** Colours are for terminals, and not with NO_COLOR: `styleText` looks at both. */
function style(format: Format): (text: string) => string {
  return (text) => styleText(format, text, { stream: process.stdout } as object);
}

export const heading = style('bold');
export const dim = style('dim');
export const success = style('green');
export const warning = style('yellow');
export const failure = style('red');
