//! IO managers: where the data of assets lives, and in which form.
