"""The lists of tools as JSON: there are few distinct ones, so each is written once and not per request."""

from collections import OrderedDict

from server.pipeline import envelope
from server.pipeline.dispatcher import Listing
from server.protocol import schemas


class ToolListCache:
    """Written lists, the most recent ones kept. The tool that needs no permission may say what is wrong just now.

    Parameters:
        size: how many, > 0.
    """

    def __init__(self, size: int = 256) -> None:
        self._written: OrderedDict[tuple[str, ...], str] = OrderedDict()
        self._size = size

    def json(self, listing: Listing) -> str:
        """The tools of a listing as a JSON array, as the SDK would write them."""
        names = tuple(tool.name if tool.permissions else tool.description for tool in listing.tools)
        view = self._written.get(names)
        if view is None:
            tools = (schemas.describe_tool(tool) for tool in listing.tools)
            shown = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
            view = self._written[names] = envelope.compact(shown)
            if len(self._written) > self._size:
                self._written.popitem(last=False)
        return view
