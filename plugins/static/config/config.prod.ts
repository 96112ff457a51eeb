export default {
  static: { maxAge: 365 * 24 * 60 * 60, buffer: true },
};
