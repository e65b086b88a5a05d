"""A private, role-scoped customer portal for suppliers who sell to companies."""
