// The first process of every pod, and of every node of the test bed.
module swiftlet.dev/testbed/pause

go 1.26.0

tool swiftlet.dev/testbed/pause
