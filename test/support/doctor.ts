import { spawnSync } from 'node:child_process';
import { CLI } from './apps.js';

interface DoctorFinding {
  level: 'error' | 'warning' | 'note';
  what: string;
  where?: string;
  fix: string;
}

export interface Examination {
  code: number | null;
  findings: DoctorFinding[];
  stderr: string;
}

/** Runs `clutch doctor --json` on an app. */
export function examine(baseDir: string, env: NodeJS.ProcessEnv = {}): Examination {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'doctor', baseDir, '--json'], {
    encoding: 'utf8',
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_ENV: undefined, EGG_SERVER_ENV: undefined, ...env },
  });
  return { code: status, findings: stdout ? (JSON.parse(stdout) as DoctorFinding[]) : [], stderr };
}
