"""Corporate accounts, their units and people, memberships with their rights, and signing in."""
