// What bootstrap.ts is for `import`.
const { createRequire } = process.getBuiltinModule('node:module');
const requireNatively = globalThis[Symbol.for('koa-clutch#require')] ?? createRequire(__filename);
module.exports = requireNatively('./bootstrap_kit.js').bootstrap(globalThis);
