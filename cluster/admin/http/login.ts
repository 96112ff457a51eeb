import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Credentials } from './credentials.js';
import { HttpError, readBody } from './respond.js';

/** The page for visitors without a token: it needs no script and no style. */
const FORM = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Clutch</title>
<h1>Clutch</h1>
<form method="post" action="login">
<p><label for="token">Token of the admin page (option <code>admin.token</code>)</label></p>
<p><input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>Log in</button></p>
</form>
`;

export function showLogin(req: IncomingMessage, res: ServerResponse, note = ''): void {
  res.writeHead(401, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'www-authenticate': 'Bearer',
  });
  res.end(req.method === 'HEAD' ? undefined : FORM + note);
}

/** @throws {HttpError} 415, 413, 429 after too many wrong tokens */
export async function logIn(req: IncomingMessage, res: ServerResponse, credentials: Credentials): Promise<void> {
  const body = await readBody(req, 'application/x-www-form-urlencoded');
  if (credentials.isBlocked(req)) throw new HttpError(429, 'too many wrong tokens; wait a minute');
  const cookie = credentials.login(new URLSearchParams(body).get('token') ?? '', req);
  if (cookie === undefined) showLogin(req, res, '<p role="alert">This is not the token.</p>\n');
  else res.writeHead(303, { location: './', 'set-cookie': cookie, 'cache-control': 'no-store' }).end();
}
