"""The farm that the artist has set."""
