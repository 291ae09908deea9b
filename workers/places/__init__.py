"""Addresses that are found, completed and checked: providers, sessions, and what is let through to them."""
