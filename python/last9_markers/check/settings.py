"""Checks the settings and the token: credential, organization, host, scope, and whether they agree."""

from __future__ import annotations

from last9_markers.check.findings import CapturedLog, Findings
from last9_markers.core.errors import ConfigurationError
from last9_markers.messages import check as check_messages
from last9_markers.messages import failures
from last9_markers.request.context import Context
from last9_markers.request.contract import SHELL_COMMANDS, Request
from last9_markers.request.destination import (
    BaseUrl,
    ConnectionField,
    credential_id,
    named_elsewhere,
    resolve_base_url,
    resolve_organization,
)
from last9_markers.request.routing import Routing
from last9_markers.request.token import Claims, RefreshToken, read_token

#: How long before its end a token is said to expire soon.
SOON_SECONDS = 14 * 24 * 3600.0


class Account:
    """The credential and its destination. A value that cannot be used is a finding, and ``None`` here."""

    def __init__(self, request: Request, route: Routing, context: Context, findings: Findings) -> None:
        self._connection = route.fields
        self._problem = request.credential_problem
        self._from_shell = request.step in SHELL_COMMANDS
        self._context = context
        self._findings = findings
        self.credential_id = credential_id(route.fields)
        self.token: RefreshToken | None = None
        self.claims = Claims()
        self.organization: str | None = None
        self.elsewhere: str | None = None

    def look_at_token(self) -> None:
        """Whether there is one, and what it says of its own end."""
        captured = CapturedLog(self._context.log.redactor)
        try:
            token = read_token(self._context.token, captured)
        except ConfigurationError as failure:
            self._findings.fail("token", self._problem or self._explain(failure, None))
            return
        for warning in captured.warnings:
            self._findings.warn("token", warning)
        self.token, self.claims = token, token.claims
        expires, now = token.claims.expires_at, self._context.clock.wall()
        # Only Last9 decides whether a token has expired: this machine's clock may be wrong.
        if expires is not None and expires < now:
            self._findings.warn("token", check_messages.token_expired(self.credential_id, expires))
        elif expires is not None and expires < now + SOON_SECONDS:
            self._findings.warn("token", check_messages.token_expires_soon(self.credential_id, expires))
        else:
            self._findings.ok("token", check_messages.token(self.credential_id, expires, is_jwt=token.claims != Claims()))

    def look_at_host(self) -> BaseUrl | None:
        """The API's address, and whether the token may go there."""
        field = self._connection.get("apiBaseUrl")
        try:
            base_url = resolve_base_url(field, self.claims)
        except ConfigurationError as failure:
            self._findings.fail("host", self._explain(failure, None))
            return None
        self.elsewhere = named_elsewhere(base_url, self.claims)
        if self.elsewhere:
            self._findings.warn("host", check_messages.host_differs(base_url.text, _source(field, ""), self.elsewhere))
        else:
            self._findings.ok(
                "host", check_messages.host(base_url.text, _source(field, "the token" if self.claims.api_urls else "the default"))
            )
        try:
            self.organization = resolve_organization(self._connection.get("orgSlug"), self.claims)
        except ConfigurationError as failure:
            self._findings.fail("organization", self._explain(failure, base_url))
        return base_url

    def look_at_scope(self, scopes: tuple[str, ...] | None, *, proven: bool) -> None:
        """Whether the token may write, by a write that was taken, or by what exchange and token say."""
        scopes = scopes or self.claims.scopes
        if self._findings.has("scope"):
            return
        if proven:
            self._findings.ok("scope", check_messages.scope_proven())
        elif "write" in scopes:
            self._findings.ok("scope", check_messages.scope(scopes))
        elif scopes == ("read",):
            self._findings.fail("scope", check_messages.scope_too_low(scopes, self.credential_id))
        else:
            # Not known: whether a scope of another name includes this one.
            self._findings.warn("scope", check_messages.scope_unproven(scopes))

    def look_at_organization(self, *, proven: bool) -> None:
        """Whether that organization takes this token's markers, by a write that was taken, or by what the token says."""
        slug, named = self.organization, self.claims.organization
        if slug is None or self._findings.has("organization"):
            return
        source = _source(self._connection.get("orgSlug"), "the token")
        if proven:
            self._findings.ok("organization", check_messages.organization_proven(slug))
        elif named is None:
            self._findings.warn("organization", check_messages.organization_unproven(slug, source))
        elif named != slug:
            self._findings.warn("organization", check_messages.organization_differs(slug, source, named))
        else:
            self._findings.ok("organization", check_messages.organization(slug, source))

    def _explain(self, failure: ConfigurationError, base_url: BaseUrl | None) -> str:
        failure.detail = self._context.log.redactor.clean(failure.detail)  # before it is cut: half a secret would not be recognized
        host = base_url.host if base_url else None
        about = failures.FailureContext(
            credential_id=self.credential_id,
            organization=self.organization,
            host=host,
            timeout_seconds=0,  # these checks take no time
            claims=self.claims,
            now=self._context.clock.wall(),
            from_shell=self._from_shell,
        )
        return failures.explain(failure, about)


def _source(field: ConnectionField | None, otherwise: str) -> str:
    return check_messages.SOURCES.get(field.source, field.source) if field else otherwise
