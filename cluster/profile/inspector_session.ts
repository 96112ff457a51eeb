import type { Session as SessionClass } from 'node:inspector';

/** Runs `use` with a connection to the inspector of this process, or thread, itself: no port is opened. */
export async function withInspector<T>(use: (session: InspectorSession) => Promise<T>): Promise<T> {
  const { Session } = await import('node:inspector');
  const session = new Session();
  session.connect();
  try {
    return await use(new InspectorSession(session));
  } finally {
    session.disconnect();
  }
}

export class InspectorSession {
  readonly #session: SessionClass;

  constructor(session: SessionClass) {
    this.#session = session;
  }

  post<T>(method: string, params: object = {}): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#session.post(method, params, (error, result) => {
        if (error) reject(Object.assign(new Error(error.message), { code: 'ERR_INSPECTOR_COMMAND' }));
        else resolve(result as T);
      });
    });
  }

  on<T>(event: string, listener: (params: T) => void): void {
    this.#session.on(event, ({ params }: { params: T }) => listener(params));
  }
}
