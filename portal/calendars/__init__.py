"""When people work: opening hours, holidays, and time counted in them."""
