"""One file per metric; a metric gives one or several columns."""
