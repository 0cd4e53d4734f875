"""One billing line: what was delivered, decided, earned and posted, down to the delivered file's line."""

import streamlit as st

from app import explained
from app.dashboard.addresses import back
from app.dashboard.view import View


def line(view: View) -> None:
    """The page; the line's id is in the address, and opens nothing that the viewer does not see."""
    words = view.words
    back(words)
    wanted = st.query_params.get("id", "")
    found = view.scope.explained(wanted) if wanted else None
    if found is None:
        st.warning(words("There is no such line among those of this location."))
        return
    st.code("\n".join(explained.told(found)), language=None, wrap_lines=True)
