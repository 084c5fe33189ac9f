//! Cron schedules in a time zone: [`CronSchedule`].
