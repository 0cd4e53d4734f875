"""Users and roles: who may do what at the location."""

from app.dashboard.screens.set_up import show_users
from app.dashboard.view import View


def users(view: View) -> None:
    """The page, for admins."""
    show_users(view)
