"""What embeddings keep of each target: the table, its heatmap, its charts, and what they say."""
