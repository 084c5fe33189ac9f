mod events;
mod patterns;
mod scheduler;
mod schedules;
mod templates;
