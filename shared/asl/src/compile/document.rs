//! What the planner answers, and what it is asked.
