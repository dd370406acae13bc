"""The explorer: a page that shows every sample of a run, and the data that it reads."""
