"""The types of release 0.1.0 by which operator and pods understood each other, as they were; only imports differ.

Do not mend them: they stand for what runs in clusters. When a release is made, its own types come beside these, and
those of the release that the supported skew has left behind go.
"""
