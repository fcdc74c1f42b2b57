"""What is rendered, and what it needs: the panel in the Render properties."""
