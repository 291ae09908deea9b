"""The mails: plain words, one link and one code, by SMTP to the stack's mailbox."""

from __future__ import annotations

import html
from email.message import EmailMessage
from email.utils import make_msgid

import aiosmtplib

from scripts.stack.auth.errors import ApiError
from scripts.stack.auth.settings import Settings

SENDER = "Freehold <auth@freehold.localhost>"
TIMEOUT_SECONDS = 5
SUBJECTS = {
    "signup": "Confirm your email address",
    "recovery": "Set a new password",
    "email_change": "Confirm the change of your email address",
}


async def send(settings: Settings, to: str, verification_type: str, *, link: str, otp: str) -> None:
    """Deliver one mail, or raise `unexpected_failure`: the caller's transaction is then undone."""
    subject = SUBJECTS[verification_type]
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, to, subject
    message["Message-ID"] = make_msgid(domain="freehold.localhost")
    message.set_content(f"{subject}:\n\n{link}\n\nOr enter the code: {otp}\n")
    message.add_alternative(
        f'<p><a href="{html.escape(link)}">{subject}</a></p><p>Or enter the code: {otp}</p>', subtype="html"
    )
    try:
        await aiosmtplib.send(
            message,
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            start_tls=False,
            timeout=TIMEOUT_SECONDS,
        )
    except (aiosmtplib.SMTPException, OSError) as error:
        raise ApiError(
            500, "unexpected_failure", f"Error sending {verification_type} email: {type(error).__name__}"
        ) from error
