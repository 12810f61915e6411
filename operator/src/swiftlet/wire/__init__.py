"""What operator and pods say to each other, across one release in either direction.

`documents`: what a pod is given. `messages`: what it says while it runs and when it ends. Both are read by `reading`,
which leaves out what it does not know and names it, and both carry a version (`version`).
"""
