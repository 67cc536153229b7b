"""What a person is told before something is destroyed, read from the thing itself: nobody is asked about nothing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Preview:
    """One thing about to be destroyed.

    Parameters:
        act: what would be done, as a sentence begins: `Delete the challenge`.
        title: what people call it; text of the tenant's users, cleaned by whoever shows it. None where it has none.
        id: what the call names it by.
        details: what goes with it or changes, one phrase each: `3 actions`, `added: https://hooks.example.com`; may
            hold text of the tenant's users.
    """

    act: str
    id: str | None = None
    title: str | None = None
    details: tuple[str, ...] = ()
