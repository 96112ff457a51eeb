// The Master of the comparison; one worker is told to invoke, all are told to receive.
import { fileURLToPath } from 'node:url';
import { startCluster } from '../../dist/index.js';

const baseDir = fileURLToPath(new URL('relay_app', import.meta.url));
const cluster = await startCluster({ baseDir, workers: Number(process.argv[2]), port: 0, hangTimeout: 0 });
cluster.messenger.on('invoke-one', (job) => cluster.messenger.sendRandom('invoke', job));
