"""Array code behind the fused rows: NumPy in, NumPy out, no graph."""
