"""Family `annotations`: notes on days of the charts.

Source: `annotations.openapi.yaml`.
"""

from functools import partial
from typing import Final

from app.mixpanel.catalog.parameters import DAY, PROJECT_PATH, docs, field, path, query
from app.mixpanel.catalog.row import Body, Endpoint

_LISTS_S: Final = 60

_endpoint = partial(Endpoint, "annotations", host="app", credentials=("service_account",))
_ALL: Final = "/projects/{projectId}/annotations"
_ONE: Final = "/projects/{projectId}/annotations/{annotationId}"
_TAGS: Final = "/projects/{projectId}/annotations/tags"
_ID = path("annotationId", "number", "Id of the annotation.")
_DESCRIPTION = field("description", "string", "The note.")
_TAG_IDS = field("tags", "array", "Ids of tags.", items="number")

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    _endpoint(
        "list",
        method="GET",
        path=_ALL,
        summary="List the annotations of some days",
        docs=docs("list-all-annotations-for-project"),
        operation="list-all-annotations-for-project",
        reads=True,
        idempotent=True,
        cache_s=_LISTS_S,
        parameters=(
            PROJECT_PATH,
            query("fromDate", "string", "First day, inclusive.", format=DAY),
            query("toDate", "string", "Last day, inclusive.", format=DAY),
        ),
    ),
    _endpoint(
        "create",
        method="POST",
        path=_ALL,
        summary="Write an annotation",
        docs=docs("create-annotation"),
        operation="create-annotation",
        role="analyst",
        body=Body("json"),
        parameters=(
            PROJECT_PATH,
            field("date", "string", "When, as `YYYY-MM-DD HH:mm:ss`."),
            _DESCRIPTION,
            _TAG_IDS,
        ),
    ),
    _endpoint(
        "get",
        method="GET",
        path=_ONE,
        summary="Get an annotation",
        docs=docs("get-annotation"),
        operation="get-annotation",
        reads=True,
        idempotent=True,
        cache_s=_LISTS_S,
        parameters=(PROJECT_PATH, _ID),
    ),
    _endpoint(
        "update",
        method="PATCH",
        path=_ONE,
        summary="Change an annotation's note or tags",
        docs=docs("patch-annotation"),
        operation="patch-annotation",
        role="analyst",
        idempotent=True,
        body=Body("json"),
        parameters=(PROJECT_PATH, _ID, _DESCRIPTION, _TAG_IDS),
    ),
    _endpoint(
        "delete",
        method="DELETE",
        path=_ONE,
        summary="Delete an annotation",
        docs=docs("delete-annotation"),
        operation="delete-annotation",
        role="analyst",
        idempotent=True,
        parameters=(PROJECT_PATH, _ID),
    ),
    _endpoint(
        "tags",
        method="GET",
        path=_TAGS,
        summary="List the tags in use",
        docs=docs("get-annotation-tags"),
        operation="get-annotation-tags",
        role="analyst",
        reads=True,
        idempotent=True,
        cache_s=_LISTS_S,
        parameters=(PROJECT_PATH,),
    ),
    _endpoint(
        "create-tag",
        method="POST",
        path=_TAGS,
        summary="Create a tag",
        docs=docs("create-annotation-tag"),
        operation="create-annotation-tag",
        role="analyst",
        body=Body("json"),
        parameters=(PROJECT_PATH, field("name", "string", "The tag.")),
    ),
)
