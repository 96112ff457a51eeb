import { ClutchCore } from 'koa-clutch';
import { FAST_CLASSES } from '../../core/http/fast_path.js';

/** The fast classes: those of the apps of this process, or others of the same source where the fast path is off. */
export const fastClasses = { ...FAST_CLASSES, ...ClutchCore.prototype.serverOptions };
