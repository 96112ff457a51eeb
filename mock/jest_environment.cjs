// The test environment of Jest, with Node's own `require` for the test kit: Jest's cannot load ES modules before Node 24.9.
const { createRequire } = require('node:module');
const path = require('node:path');

const { TestEnvironment } = requireOfJest('jest-environment-node');

module.exports = class extends TestEnvironment {
  async setup() {
    await super.setup();
    this.global[Symbol.for('koa-clutch#require')] = require;
  }
};

function requireOfJest(name) {
  for (const place of [path.join(process.cwd(), 'package.json'), process.argv[1], __filename]) {
    try {
      return createRequire(place)(name);
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  throw new Error(`${name} cannot be found: npm install --save-dev ${name}`);
}
