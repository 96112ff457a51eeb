// Sends to all workers as fast as it is told to.
module.exports = (agent) => {
  agent.messenger.on('publish', ({ size, count }) => {
    const value = 'x'.repeat(size);
    let left = count;
    const some = () => {
      for (let index = Math.min(left, 500); index > 0; index -= 1) agent.messenger.sendToApp('value', value);
      left -= 500;
      if (left > 0) setImmediate(some);
    };
    some();
  });
};
