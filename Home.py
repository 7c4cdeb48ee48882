"""The front door: who is signed in, and the menu their grants allow. Nothing else."""

import streamlit as st

from bank.app import is_served
from pages.parts import frame, shell

st.set_page_config(page_title=frame.NAME, page_icon="🏦", layout="wide")
if is_served():
    frame.style()
    shell.run()
else:
    st.title("The bank is closed")
    st.write("It is not served by Streamlit alone. Start it like this, then open its address:")
    st.code("python -m bank serve", language=None)
