"""`POST /projects/{project_id}/identity-links`, and what is linked to an id."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import orjson
from flask import Response, request

from app.destinations.checks.links import LinkCheck
from app.destinations.identity.clusters import Cluster, Edge
from app.destinations.identity.effects import effects
from app.destinations.identity.links import Link
from app.destinations.identity.preflight import System
from app.web.api.access import caller
from app.web.api.answers import encoded
from app.web.api.bodies import JSON, MOST_BYTES, MOST_RECORDS, Received, Record, read_object
from app.web.api.checking import sort_records
from app.web.api.kinds import INVALID_BODY, INVALID_RECORDS, TOO_MANY_RECORDS
from app.web.api.link_answers import pending_link, sent, told_effect
from app.web.api.link_schemas import DryRunSchema, LinkedSchema, PartQuery
from app.web.api.log import fields
from app.web.api.problems import Fault, Problem, named
from app.web.api.schemas import IdempotencyHeader
from app.web.api.sections import Answer, Body, Endpoint, Section
from app.web.api.submitting import ANSWERS, PROBLEMS, Call, Submitting
from app.web.ports import WebServices
from config.links import KEYS

PENDING_LINKS_READ: Final = 2_000
_ID: Final = {"type": "string", "minLength": 1, "maxLength": 255}
_PAIRS: Final = [KEYS["device"], KEYS["identify"], KEYS["alias"]]
_LINK: Final[dict[str, Any]] = {
    "oneOf": [
        *(
            {
                "type": "object",
                "required": list(pair),
                "additionalProperties": False,
                "properties": dict.fromkeys(pair, _ID),
            }
            for pair in _PAIRS
        ),
        {
            "type": "object",
            "required": ["merge", "allow_merge"],
            "additionalProperties": False,
            "properties": {
                "merge": {"type": "array", "items": _ID, "minItems": 2, "maxItems": 2},
                "allow_merge": {"type": "boolean", "enum": [True]},
            },
        },
    ]
}
_BODY: Final = Body(
    f"The links, up to {MOST_RECORDS:,} in a call; gzip is allowed.",
    {
        JSON: {
            "schema": {
                "type": "object",
                "required": ["links"],
                "additionalProperties": False,
                "properties": {
                    "links": {"type": "array", "items": _LINK, "minItems": 1, "maxItems": MOST_RECORDS},
                    "dry_run": {"type": "boolean", "default": False},
                },
            },
            "example": {"links": [{"user_id": "13793", "device_id": "a-browser"}], "dry_run": False},
        }
    },
)
_DESCRIPTION: Final = """Which links there are depends on the project's `id_management`: `user_id` and
`device_id` in simplified projects; `identified_id` and `anon_id`, `distinct_id` and `alias`, or `merge` in
original ones; `distinct_id` and `alias` in legacy ones. What can never be made is listed by its index; the
others are kept, and judged against what was linked before when it is their turn: a link that must not be made
then becomes a dead letter with its reason. A link is made once, so repeating a call adds nothing.

With `dry_run`, nothing is kept: the answer shows the verdict on each link, and the clusters before and after.
A token without the scope `read` sees their sizes, but no ids that it did not name itself."""
_KNOWS: Final = """The relay knows the links that it has made itself, not those of SDKs or other services."""


@dataclass(frozen=True)
class IdentityLinks:
    """Takes links in, and says what is linked."""

    services: WebServices
    submitting: Submitting

    def post(self, project_id: str, headers: dict[str, str]) -> Response:
        """Answer a call that hands links in, or asks what they would do."""
        settings = self.services.settings
        body = read_object(request, min(MOST_BYTES, settings.max_body_bytes))
        received = _received(body)
        project = settings.projects[project_id]
        call = Call(project, headers.get("idempotency_key"), received, self.submitting.now_ms())
        check = LinkCheck(System.of(project), call.now_ms, caller().id)
        return self._dry_run(call, check) if body.get("dry_run") else self.submitting.take_in(call, check)

    def get(self, project_id: str, distinct_id: str, query: Mapping[str, int]) -> Response:
        """Say what is linked to an id, since when, and why."""
        ledger, waiting = self.services.links, self.services.pending_links
        clusters = ledger.clusters(project_id, [distinct_id])
        cluster = clusters.of(distinct_id)
        part, edges = self._part(project_id, cluster, query.get("part"))
        whys = ledger.whys(project_id, (edge.why for edge in edges))
        pending, complete = waiting.links(project_id, distinct_id, PENDING_LINKS_READ)
        ids = dict.fromkeys(node for edge in edges for node in (edge.first, edge.second)) or [distinct_id]
        told = {
            "distinct_id": distinct_id,
            "cluster": {"size": clusters.size(distinct_id), "ids": list(ids)},
            "links": [sent(edge, whys.get(edge.why, {})) for edge in edges],
            "next_part": part - 1 if part else None,
            "pending": [pending_link(link) for link in pending],
            "pending_complete": complete,
        }
        return encoded(HTTPStatus.OK, told)

    def _part(self, project_id: str, cluster: Cluster | None, part: int | None) -> tuple[int, list[Edge]]:
        """Return the number of a part of a cluster's links, and these; the newest one unless one is named."""
        if cluster is None:
            return 0, []
        if part is None or part >= cluster.parts:
            return cluster.parts, cluster.edges
        return part, self.services.links.older(project_id, cluster.number, part)

    def _dry_run(self, call: Call, check: LinkCheck) -> Response:
        result = sort_records(call.received.records, check)
        fields().update(accepted=0, rejected=len(result.rejected), dry_run=True)
        wrong = {fault.index for fault in result.rejected}
        places = [record.index for record in call.received.records if record.index not in wrong]
        links = [Link.from_json(record) for record in result.kept]
        nodes = {node for link in links for node in link.nodes}
        clusters = self.services.links.clusters(call.project.id, nodes)
        waiting = self.services.pending_links.pending(call.project.id, nodes)
        found = effects(links, System.of(call.project), clusters)
        may_see = None if caller().allows("read") else nodes
        told = {
            "dry_run": True,
            "links": [
                told_effect(index, effect, may_see, pending=not waiting.isdisjoint(effect.link.nodes))
                for index, effect in zip(places, found, strict=True)
            ],
            "rejected": [fault.as_json() for fault in result.rejected],
        }
        return encoded(HTTPStatus.OK, told)


def _received(body: dict[str, Any]) -> Received:
    """Take the body apart; raises Problem where it is not one of links."""
    faults = [
        Fault(name, "is unknown", "unknown_field") for name in sorted(body.keys() - {"links", "dry_run"})
    ]
    links = body.get("links")
    if not isinstance(links, list):
        faults.append(Fault("links", "must be a list of links", "not_an_array"))
    if not isinstance(body.get("dry_run", False), bool):
        faults.append(Fault("dry_run", "must be true or false", "not_a_boolean"))
    if faults or not isinstance(links, list):
        raise Problem(INVALID_BODY, f"The body is wrong: {named(faults)}.", faults)
    if not links:
        raise Problem(
            INVALID_RECORDS, "The body holds no link.", [Fault("links", "There is no link.", "empty")]
        )
    if len(links) > MOST_RECORDS:
        detail = f"has {len(links)} links; a call may have {MOST_RECORDS}"
        raise Problem(TOO_MANY_RECORDS, f"The body {detail}.", [Fault("links", detail, "too_many")])
    digest = hashlib.sha256(orjson.dumps(links, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return Received(tuple(Record(index, None, link) for index, link in enumerate(links)), digest)


def section(services: WebServices) -> Section:
    """Return the endpoints."""
    view = IdentityLinks(services, Submitting(services, "identity"))
    post = Endpoint(
        rule="/projects/<project_id>/identity-links",
        method="POST",
        view=view.post,
        scope="ingest",
        summary="Hand identity links in",
        description=_DESCRIPTION,
        answers={**ANSWERS, 200: Answer("With `dry_run`: what the links would do.", DryRunSchema)},
        problems=PROBLEMS,
        headers=IdempotencyHeader,
        body=_BODY,
    )
    get = Endpoint(
        rule="/projects/<project_id>/identity-links/<text:distinct_id>",
        method="GET",
        view=view.get,
        scope="read",
        summary="Say what is linked to an id",
        description=f"{_KNOWS} Refused links are among the dead letters.",
        answers={200: Answer("The id's cluster, its links, and those that wait.", LinkedSchema)},
        query=PartQuery,
    )
    return Section("identity-links", f"Identity links. {_KNOWS}", (post, get))
