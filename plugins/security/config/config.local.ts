export default {
  security: { hsts: { enable: false } },
};
