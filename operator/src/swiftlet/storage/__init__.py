"""Where models and data lie, one module per URI scheme: how it is written, what it names, what stands in its way, and
what a pod mounts for it. `registry` finds a scheme by its name; what it fetches, a pod does (swiftlet_trainer.storage).

The lowest layer: the API makes its patterns of these, and planners, local runtime and command line ask them.
"""
