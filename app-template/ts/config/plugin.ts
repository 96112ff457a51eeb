import type { PluginDeclarations } from 'koa-clutch';

const plugins: PluginDeclarations = {
  // redis: { enable: true, package: 'egg-redis' },
};

export default plugins;
