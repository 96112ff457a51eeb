/** One stream for each page that is open and connected to this worker. */
const streams = new Set();

export function addPage(stream) {
  streams.add(stream);
  stream.once('close', () => streams.delete(stream));
}

export function sendToPages(announcement) {
  for (const stream of streams) stream.send(announcement);
}
