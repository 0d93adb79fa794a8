from __future__ import annotations

import hmac
from typing import Any, NoReturn


class SecretToken:
    """A token, password or other secret that nothing prints.

    `print`, `repr`, format strings, tracebacks with local variables and `dataclasses.asdict` show `(secret)`. A secret
    cannot be pickled. Comparing two secrets takes constant time.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Wraps the text of a secret."""
        if not isinstance(text, str):
            raise TypeError(f"A secret is made from a str, not from {type(text).__name__}.")
        self._text = text

    def reveal(self) -> str:
        """Returns the text of the secret. Call it only where the text is needed."""
        return self._text

    def __repr__(self) -> str:
        return "(secret)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretToken):
            return NotImplemented
        return hmac.compare_digest(
            self._text.encode("utf-8", "surrogatepass"), other._text.encode("utf-8", "surrogatepass")
        )

    def __hash__(self) -> int:
        return hash((SecretToken, self._text))

    def __copy__(self) -> SecretToken:
        return self

    def __deepcopy__(self, memo: Any) -> SecretToken:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret cannot be pickled. Pass on the result of reveal() where the text is needed.")


def secret(value: SecretToken | str) -> SecretToken:
    """Returns the secret, or wraps the text as a secret."""
    return value if isinstance(value, SecretToken) else SecretToken(value)


def is_sendable(token: SecretToken) -> bool:
    """Returns true if the text can be the value of a header: 1 to 8192 visible ASCII characters."""
    text = token.reveal()
    return 1 <= len(text) <= 8192 and all("!" <= character <= "~" for character in text)
