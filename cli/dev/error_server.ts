import type { Server } from 'node:http';
import { asksForPage, ERROR_STATE_PATH, errorPage, type PageError } from '../../output/error_page.js';

/** Serves the error of an app that does not start, in its place. */
export class ErrorServer {
  #server: Server | undefined;

  /** @returns false if something else listens on the port */
  async open(port: number, error: PageError): Promise<boolean> {
    const { createServer } = process.getBuiltinModule('node:http');
    const server = createServer((req, res) => {
      res.setHeader('cache-control', 'no-store');
      if (req.url === ERROR_STATE_PATH) return res.end(error.id);
      const isPage = asksForPage(req.method, req.headers.accept);
      res.writeHead(500, { 'content-type': `text/${isPage ? 'html' : 'plain'}; charset=utf-8` });
      return res.end(isPage ? errorPage(error) : `${error.title}\n\n${error.text}\n`);
    });
    this.#server = server;
    return new Promise((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, () => resolve(true));
    });
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server?.listening) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
