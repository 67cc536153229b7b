"""What no tool reaches, and why: with this, every operation of the API is accounted for."""

from collections.abc import Mapping

from tools.api import operations as op

OUT_OF_REACH: Mapping[str, str] = {
    op.CREATE_ORGANISATION.id: (
        "A new organisation is another tenant, and every call stays inside the caller's own; it is made in the product."
    ),
}
