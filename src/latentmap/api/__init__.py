"""The front door in Python: what `import latentmap as lm` gives, over arrays and finished runs."""
