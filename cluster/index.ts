export { askMaster } from './control_client.js';
export { type ControlRequest, controlPath } from './control_protocol.js';
export type { ClusterHandle } from './handle.js';
export { type InspectOptions, inspectApp } from './inspect.js';
export type { AdminOptions, ClusterOptions, HttpsOptions, StartClusterOptions } from './options.js';
export type { ReloadOptions } from './rolling.js';
export { startCluster } from './start_cluster.js';
export type { ClusterStatus, ProcessStatus } from './status.js';
