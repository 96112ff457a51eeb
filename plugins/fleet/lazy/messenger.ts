export { FleetMessenger } from '../lib/messenger/fleet_messenger.js';
