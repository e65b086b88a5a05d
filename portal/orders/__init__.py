"""Orders: made from approved quotes, placed with the supplier, confirmed, declined or cancelled."""
