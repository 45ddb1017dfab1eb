"""The CI gate: what changed between two images, whether a policy allows it, and reports that say so.

side + side -> comparison -> (policy) -> findings -> report
"""
