"""The mailbox of a local stack: an SMTP server that delivers to nobody, and ways to read what it got.

The JSON has the shape of Mailpit's API, which `supabase start` runs in this place.
"""
