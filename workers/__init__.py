"""Freehold's workers: what SQL can't do, done by small processes that speak only to the Supabase API."""
