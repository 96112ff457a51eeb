export default {
  ...(process.env.APP_KEYS ? { keys: process.env.APP_KEYS } : {}),
};
