// Counts what comes, and reports to the parent of the Master.
module.exports = ({ messenger }) => {
  let wanted = Infinity;
  let got = 0;
  messenger.on('expect', (count) => {
    wanted = count;
    got = 0;
    messenger.send('expecting', null, 'parent');
  });
  messenger.on('value', () => {
    got += 1;
    if (got === wanted) messenger.send('received', null, 'parent');
  });
};
