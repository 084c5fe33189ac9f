mod events;
mod patterns;
mod schedules;
mod scheduler;
mod templates;
