"""A development stand-in for Supabase Auth: the wire contract of the real one for e-mail and password.

docs/reference/auth.md says what it answers and where it differs. It serves one developer's machine and
nothing else: it refuses to start with FREEHOLD_ENV other than `local`.
"""
