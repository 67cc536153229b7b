"""What is wrong with a client's file, or with a wish for it: found where files are written and where they are read."""


class ConfigError(Exception):
    """It cannot be served as it stands.

    Parameters:
        said: what is wrong, in a sentence.
        fix: what to do about it, in a sentence.
        reason: a word for programs.
    """

    def __init__(self, said: str, fix: str, reason: str = "unusable") -> None:
        super().__init__(f"{said} {fix}")
        self.said = said
        self.fix = fix
        self.reason = reason
