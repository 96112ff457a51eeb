let dropped = 0;

/** Counts a message for this process that it could not keep, for the cluster's status. */
export function countDroppedMessage(): void {
  dropped += 1;
}

/** How many there were since the process began. */
export function droppedMessages(): number {
  return dropped;
}
