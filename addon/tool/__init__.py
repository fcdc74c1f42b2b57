"""The only code that touches bpy or the native module."""
