"""The script that Streamlit runs for every visitor, at every click."""

from dashboard.shell import draw

draw()
