export default {
  schedule: {
    /** Absolute directories whose files are schedules, besides `app/schedule` of every load unit. */
    directory: [] as string[],
  },
  customLogger: {
    scheduleLogger: { consoleLevel: 'NONE', file: 'egg-schedule.log' },
  },
};
