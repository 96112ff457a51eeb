export default {
  // redis: { enable: true, package: 'egg-redis' },
};
