"""The local stack: Supabase's parts as plain processes, without Docker and without root."""
