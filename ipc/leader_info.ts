/** How Leader and Followers of a cluster find and trust each other: the Master tells its children. */
export interface LeaderInfo {
  /** Shared by the processes of this cluster only. */
  token: string;
  /** Where their sockets are. */
  dir: string;
  /** Pid of the Master. */
  master: number;
  /** Id of the Agent at the time of the boot; later ones come with `egg-pids`. */
  agent: number | undefined;
}
