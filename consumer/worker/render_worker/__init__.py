"""Runs inside Blender: renders what the consumer asks for, over a socket of its own.

Messages are four bytes of length, big-endian, then JSON. Whatever Blender, an add-on or a script
prints goes to the log and changes nothing here.
"""
