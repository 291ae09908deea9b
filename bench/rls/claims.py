"""A user's claims, of the size that Supabase Auth gives them: reading them is part of what a policy costs."""

from __future__ import annotations

import json


def claims(user_id: str) -> str:
    return json.dumps(
        {
            "iss": "http://127.0.0.1:54321/auth/v1",
            "sub": user_id,
            "aud": "authenticated",
            "exp": 1893456000,
            "iat": 1893452400,
            "email": "user@bench.test",
            "phone": "",
            "app_metadata": {"provider": "email", "providers": ["email"]},
            "user_metadata": {"email": "user@bench.test", "email_verified": True, "sub": user_id},
            "role": "authenticated",
            "aal": "aal1",
            "amr": [{"method": "password", "timestamp": 1893452400}],
            "session_id": "7c9f4f5e-8f4e-4a57-9f0c-2f3b1a6d5e4c",
            "is_anonymous": False,
        }
    )
