export default {
  sqlite: { client: { file: ':memory:' } },
};
