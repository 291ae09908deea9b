"""GET /health, /settings and /.well-known/jwks.json: what anybody may know of the server."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from scripts.stack.auth.server import server_of

OTHER_PROVIDERS = (
    "anonymous_users", "apple", "azure", "bitbucket", "discord", "facebook", "figma", "fly", "github",
    "gitlab", "google", "kakao", "keycloak", "linkedin", "linkedin_oidc", "notion", "phone", "slack",
    "slack_oidc", "snapchat", "spotify", "twitch", "twitter", "workos", "x", "zoom",
)  # fmt: skip


async def health(request: Request) -> Response:
    """The process answers; the database may still be away."""
    description = "Freehold's development stand-in for Supabase Auth"
    return JSONResponse({"version": "stand-in", "name": "GoTrue", "description": description})


async def settings(request: Request) -> Response:
    return JSONResponse(
        {
            "external": {"email": True, **dict.fromkeys(OTHER_PROVIDERS, False)},
            "disable_signup": False,
            "mailer_autoconfirm": server_of(request).settings.autoconfirm,
            "phone_autoconfirm": False,
            "sms_provider": "",
            "saml_enabled": False,
        }
    )


async def jwks(request: Request) -> Response:
    return JSONResponse(server_of(request).signer.jwks, headers={"Cache-Control": "public, max-age=600"})
