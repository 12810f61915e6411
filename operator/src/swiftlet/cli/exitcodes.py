"""Exit codes of the command, and the text that documents them in --help."""

OK = 0
FAILED = 1
INVALID = 2
BUSY = 3
TIMEOUT = 4
INTERRUPTED = 130
TERMINATED = 143

HELP = """exit codes:
  0    done; for run: every resource succeeded or is ready
  1    a resource failed, or what was asked for is not there
  2    bad input: arguments or documents; nothing was started
  3    another swiftlet run works on this state folder
  4    not finished within --timeout; the state is kept, run again to go on
  130  stopped by Ctrl-C, drained; run again to go on. Once more: killed, within a second
  143  stopped by SIGTERM, drained; run again to go on
"""
