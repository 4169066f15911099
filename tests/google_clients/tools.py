"""Tools of a program's, for the client to call. (The oldest client needs annotations that are no strings.)"""


def find_order(number: int) -> str:
    """Find an order by its number."""
    return "Rotterdam"


def weather(city: str) -> str:
    """The weather of a city."""
    raise LookupError(f"no weather in {city}")


async def weather_later(city: str) -> str:
    """The weather of a city."""
    return "rain"


weather_later.__name__ = "weather"
