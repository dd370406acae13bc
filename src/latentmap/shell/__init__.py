"""The command line: one command from data to a report, and what helps around a run."""
