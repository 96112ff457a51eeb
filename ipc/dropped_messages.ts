let dropped = 0;

/** Counts messages that this process could not keep, or not send to the fleet, for the cluster's status. */
export function countDroppedMessage(count = 1): void {
  dropped += count;
}

/** How many there were since the process began. */
export function droppedMessages(): number {
  return dropped;
}
