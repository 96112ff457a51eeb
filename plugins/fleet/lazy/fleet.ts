export { Fleet } from '../lib/fleet.js';
