"""What people call an organisation: said by the directory, or learnt from what the tenant answers its own callers."""

from collections import OrderedDict

from server.tenants.tenant import Tenant
from tools.plain_text import clean_text

LONGEST = 64


class OrganisationNames:
    """A bounded memory of names, by organisation; it is asked only for callers that were found to belong to it.

    Parameters:
        size: names kept, > 0; the one used longest ago goes first.
    """

    def __init__(self, size: int = 10_000) -> None:
        self._size = size
        self._names: OrderedDict[str, str] = OrderedDict()

    def find(self, tenant: Tenant) -> str | None:
        """The name, clean and at most 64 characters long; None when nothing is known yet."""
        if tenant.name is not None:
            return clean_text(tenant.name, LONGEST) or None
        name = self._names.get(tenant.organisation)
        if name is not None:
            self._names.move_to_end(tenant.organisation)
        return name

    def learn(self, organisation: str, name: object) -> None:
        """Remember what the tenant's API calls its organisation; what is no text is left out."""
        cleaned = clean_text(name, LONGEST) if isinstance(name, str) else ""
        if not cleaned:
            return
        self._names[organisation] = cleaned
        self._names.move_to_end(organisation)
        if len(self._names) > self._size:
            self._names.popitem(last=False)
