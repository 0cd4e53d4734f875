"""The pages, one a file, each a function of the view that is open. Not a folder `pages`: Streamlit serves what is in one."""
