import { startCluster } from '../../dist/cluster/index.js';

const { APP: baseDir, WORKERS: workers, PORT: port } = process.env;
await startCluster({ baseDir, workers, port });
