import net from 'node:net';

/**
 * A TCP proxy before a server, whose network can be made slow or cut in one direction or both.
 *
 * @param target port on the loopback interface
 */
export async function startProxy(target) {
  const link = { delay: 0, up: true, down: true };
  const sockets = new Set();
  const server = net.createServer((client) => {
    const remote = net.connect(target, '127.0.0.1');
    for (const socket of [client, remote]) {
      sockets.add(socket);
      socket.setNoDelay();
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        remote.destroy();
      });
    }
    forward(client, remote, () => link.up);
    forward(remote, client, () => link.down);
  });
  /** What comes while a direction is cut is lost to the other side, like packets that are never repeated in time. */
  const forward = (from, to, isOpen) => {
    // A chunk that is not delayed any more must not overtake one that is: TCP keeps the order.
    const waiting = [];
    from.on('data', (chunk) => {
      if (!isOpen()) return;
      if (link.delay === 0 && waiting.length === 0) {
        to.write(chunk);
        return;
      }
      waiting.push(chunk);
      setTimeout(() => to.write(waiting.shift()), link.delay);
    });
  };
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    /** `up` is what the machine sends, `down` what the server sends; `delay` is in milliseconds in each direction. */
    set: (change) => {
      Object.assign(link, change);
      // A connection that has lost bytes cannot go on.
      if (change.up || change.down) for (const socket of sockets) socket.destroy();
    },
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
