export { type InspectOptions, inspectApp } from './inspect.js';
export type { ClusterHandle, ReloadOptions } from './master.js';
export type { ClusterOptions, HttpsOptions, StartClusterOptions } from './options.js';
export { startCluster } from './start_cluster.js';
