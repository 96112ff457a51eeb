/** One part of a form: a field, or a file with a name. */
export interface FormPart {
  name?: string;
  value: string | Buffer;
  filename?: string;
  type?: string;
  /** Instead of the usual header lines. */
  headers?: string;
}

export const BOUNDARY = 'xxBOUNDARYxx';
export const CONTENT_TYPE = `multipart/form-data; boundary=${BOUNDARY}`;

/** @returns a body as a browser sends it */
export function formBody(parts: FormPart[]): Buffer {
  const bytes = parts.flatMap(({ name, value, filename, type, headers }) => {
    const file = filename === undefined ? '' : `; filename="${filename}"\r\nContent-Type: ${type ?? 'text/plain'}`;
    const head = headers ?? `Content-Disposition: form-data; name="${name}"${file}`;
    return [Buffer.from(`--${BOUNDARY}\r\n${head}\r\n\r\n`), Buffer.from(value), Buffer.from('\r\n')];
  });
  return Buffer.concat([...bytes, Buffer.from(`--${BOUNDARY}--\r\n`)]);
}
