export { askMaster, type ControlRequest, controlPath } from './control/control_client.js';
export type { ClusterStatus, ProcessStatus } from './control/status.js';
export { type InspectOptions, inspectApp, replArguments } from './inspect/inspect.js';
export type { ClusterHandle } from './master/handle.js';
export { type MasterLog, redirectMasterLog } from './master/master_log.js';
export { startCluster } from './master/start_cluster.js';
export type { AdminOptions, HttpsOptions } from './options/option_kinds.js';
export type { ClusterOptions, StartClusterOptions } from './options/options.js';
export type { ReloadOptions } from './supervise/rolling_restart.js';
