"""The bed a seeded organisation grows in: ids, numbers and dates that are the same on every start."""

import hashlib
from datetime import UTC, datetime, timedelta

from server.sandbox.entities import USER, Entity
from server.sandbox.store import Body, EntityStore


def build_object_id(*names: object) -> str:
    """A 24-hex id that depends on the names alone."""
    return hashlib.sha256(":".join(map(str, names)).encode()).hexdigest()[:24]


def build_organisation_id(slug: str) -> str:
    """The id of a seeded organisation."""
    return build_object_id("organisation", slug)


class SeedBuilder:
    """One organisation while it is being filled."""

    def __init__(self, store: EntityStore, slug: str) -> None:
        self.key = build_organisation_id(slug)
        self._store = store
        self._today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self._author = self.id(USER, 0)

    def put(self, entity: Entity, given: Body, days_ago: int) -> None:
        """Keep an entity as it was so many days ago; members not given are the kind's defaults."""
        moment = self.moment(days_ago)
        stamps = {"createdAt": moment, "updatedAt": moment, "createdBy": self._author, "updatedBy": self._author}
        body = {**entity.defaults, "organisationId": self.key, **stamps, **given}
        self._store.put(self.key, entity.kind, body, entity.communities(body))

    def put_one(self, kind: str, given: Body) -> None:
        """Keep what the organisation has one of."""
        self._store.put(self.key, kind, {**given, "id": self.key}, [])

    def put_distribution(self, owner: str, points: int) -> None:
        """Keep what completing a challenge or achievement gives."""
        config = {"mechanism": "all", "amountToDistribute": 0, "allocations": []}
        body = {"id": owner, "pointsToDistribute": points, "bonusXpToDistribute": points // 2, "rewardsConfig": config}
        self._store.put(self.key, "distribution", body, [])

    def id(self, entity: Entity, number: object) -> str:
        """The id of an entity by its number."""
        return build_object_id(self.key, entity.kind, number)

    def number(self, low: int, high: int, *names: object) -> int:
        """A number from low to high that depends on the names alone."""
        return low + int(build_object_id(self.key, "number", *names)[:8], 16) % (high - low + 1)

    def moment(self, days_ago: float) -> str:
        """So many days before today, as the product writes it."""
        moment = self._today - timedelta(days=days_ago, hours=9)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
