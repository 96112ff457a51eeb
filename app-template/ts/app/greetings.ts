/** What the Agent has said to this worker. */
export const greetings = new Set<string>();
