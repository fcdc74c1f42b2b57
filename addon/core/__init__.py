"""What the add-on knows without Blender: jobs, their states, their words. Nothing imports bpy."""
