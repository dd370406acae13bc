"""Reports: self-contained pages over everything that a run measured."""
