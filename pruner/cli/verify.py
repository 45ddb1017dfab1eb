def verify_command() -> None:
    """Not yet."""
