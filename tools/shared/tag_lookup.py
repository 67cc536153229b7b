"""Tags by the name people use: looked up once per call, ids passed through."""

import re
from typing import Annotated

from pydantic import Field

from tools.api import operations as op
from tools.refusals import Code, ToolError
from tools.refusals import Field as Wrong
from tools.shared.paging import Edges
from tools.spec import Permission, Subject, TenantApi, Verb

TagNames = Annotated[list[str] | None, Field(description="Names or ids from list_tags.")]
ChangedTags = Annotated[list[str] | None, Field(description="Names or ids; replaces all.")]
READ_TAGS = Permission(Verb.READ, Subject.TAG)

_PAGE = 100
_PAGES = 10
_ID = re.compile(r"[0-9a-fA-F]{24}")


async def tag_ids(names: list[str] | None, api: TenantApi) -> list[str] | None:
    """The ids of the tags named; the case of a name does not matter, and an id stands for itself.

    Raises:
        ToolError: arguments_invalid, naming the legal tags, when there is no such tag.
    """
    if names is None or all(_ID.fullmatch(name) for name in names):
        return names
    known = await _read_known(api)
    ids = {value.casefold(): tag_id for value, tag_id in known.items()}
    wrong = tuple(
        Wrong(f"/tags/{index}", "no tag has this name", legal=", ".join(sorted(known)[:50]))
        for index, name in enumerate(names)
        if not _ID.fullmatch(name) and name.casefold() not in ids
    )
    if wrong:
        raise ToolError(
            Code.ARGUMENTS_INVALID,
            "A tag of this name does not exist.",
            "Use one of the names in fields, or create it with create_tag.",
            fields=wrong,
        )
    return [ids.get(name.casefold(), name) for name in names]


async def _read_known(api: TenantApi) -> dict[str, str]:
    known: dict[str, str] = {}
    for number in range(_PAGES):
        skip = number * _PAGE
        found = Edges.model_validate(await api.call(op.GET_TAGS, query={"limit": _PAGE, "skip": skip}))
        known |= {str(tag["value"]): str(tag["id"]) for tag in found.edges if "value" in tag and "id" in tag}
        if not found.edges or skip + _PAGE >= found.total_count:
            break
    return known
