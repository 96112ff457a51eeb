import { styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];

/** Colours are for terminals, and not with NO_COLOR: `styleText` looks at both. */
function style(format: Format, text: string, stream: NodeJS.WritableStream = process.stdout): string {
  return styleText(format, text, { stream } as { validateStream?: boolean });
}

export const heading = (text: string): string => style('bold', text);
