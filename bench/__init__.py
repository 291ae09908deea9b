"""Measurements that are printed side by side: `python -m bench`."""
