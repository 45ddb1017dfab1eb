"""From plans to chisel's slice definitions; reading, checking, merging and comparing releases of them.

plan -> source -> slices -> release -> files
"""
