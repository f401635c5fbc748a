"""Pages for one reader, who came by a link of their own: who they are is what the link says, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import HTMLResponse

from newsletter import consent
from newsletter.language import Language, speak
from newsletter.links import Claim, Purpose
from newsletter.model import Newsletter, Preferences
from newsletter.store.subscribers import Subscriber
from newsletter.web.safety import client_address, prefix
from newsletter.web.site import Site, site_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A reader at one of their pages. What is not known any more, a newsletter or the reader, is None."""

    site: Site
    claim: Claim
    token: str
    newsletter: Newsletter | None
    reader: Subscriber | None
    preferences: Preferences
    network: str
    mark: str = ""  # what the link carries beside: a fingerprint of their address, the number of an application

    @property
    def language(self) -> Language:
        """The reader's, else the newsletter's."""
        return speak(self.preferences.language or (self.newsletter.language if self.newsletter else "en"))

    def page(self, template: str, *, status: int = 200, **variables: object) -> HTMLResponse:
        """A page that only this reader sees; `token` is that of their link."""
        return self.site.page(
            template,
            newsletter=self.newsletter,
            language=self.language,
            status=status,
            private=True,
            token=self.token,
            **variables,  # type: ignore[arg-type]
        )

    def url(self, purpose: Purpose) -> str:
        """Another page of theirs, as a path."""
        links = self.site.app.links
        url = links.url(
            purpose, subscriber=self.claim.subscriber, newsletter=self.claim.newsletter, now=self.site.clock()
        )
        return self.site.root + url.removeprefix(links.base_url)


def visit(request: Request, purpose: Purpose) -> Visit:
    """Who comes by the token in the path. LinkError, which is a page that says there is nothing."""
    site = site_of(request)
    token = request.path_params["token"]
    claim, mark = consent.read_mark(site.app.links.read(purpose, token))
    subscribers = site.app.store.subscribers
    chosen = subscribers.preferences([claim.subscriber], claim.newsletter)
    return Visit(
        site=site,
        claim=claim,
        token=token,
        newsletter=site.app.plan.newsletters.get(claim.newsletter),
        reader=subscribers.of(claim.subscriber, claim.newsletter),
        preferences=chosen.get(claim.subscriber, Preferences()),
        network=network(request),
        mark=mark,
    )


def network(request: Request) -> str:
    """Where somebody asks from, as far as it is kept: the prefix of their address."""
    return prefix(client_address(request, trusted=site_of(request).app.config.trusted_proxies))


def masked_email(email: str) -> str:
    """An address as its owner knows it and nobody else can use it: `a…@x.org`."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}…@{domain}"
