export default { watcher: { type: 'development' } };
