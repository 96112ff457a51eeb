export default {
  view: { cache: false },
};
