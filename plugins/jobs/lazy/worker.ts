export { AppJobs } from '../lib/worker/app_jobs.js';
